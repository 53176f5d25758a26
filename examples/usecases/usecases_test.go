package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestHistoryEqualsLive runs each use case both ways.
func TestHistoryEqualsLive(t *testing.T) {
	for _, u := range useCases {
		t.Run(u.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			history, err := u.run(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			live, err := u.run(ctx, true)
			if err != nil {
				t.Fatal(err)
			}
			if len(history.rows) == 0 || len(history.rows) > u.count()/2 {
				t.Fatalf("%d results of %d rows", len(history.rows), u.count())
			}
			if !history.equal(live) {
				t.Fatalf("history:\n%s\n%s\nlive:\n%s\n%s", strings.Join(history.rows, "\n"), strings.Join(history.sides, "\n"),
					strings.Join(live.rows, "\n"), strings.Join(live.sides, "\n"))
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{{}, {"nothing"}, {"fraud", "iot"}} {
		if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), "dashboard") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
