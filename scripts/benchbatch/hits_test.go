package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestHits: a table of hits follows from its size alone, and every query over it runs.
func TestHits(t *testing.T) {
	ctx := context.Background()
	o := options{cache: t.TempDir(), hits: 6000, threads: 2}
	dir, err := hitsTables(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again.parquet")
	if err := writeHits(ctx, again, o.hits, 0, o.hits/2); err != nil {
		t.Fatal(err)
	}
	a, errA := os.ReadFile(filepath.Join(dir, "part-0.parquet"))
	b, errB := os.ReadFile(again)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Fatalf("%v %v: %d bytes and %d differ", errA, errB, len(a), len(b))
	}
	s, err := openStreamFlow(ctx, o, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for n := range o.count() {
		text, err := o.text(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := drain(ctx, s.Session, text); err != nil {
			t.Errorf("q%d: %v", n+1, err)
		}
	}
}
