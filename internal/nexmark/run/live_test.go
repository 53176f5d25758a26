package run

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

var long = flag.Bool("nexmark.long", false, "run the live queries with more cuts, more partitions and more kills")

// cut is a way in which the same events come to the queries.
type cut struct {
	rows, partitions, slots int
	events                  int64 // written at a time; 0 is all before the queries start
}

func cuts() []cut {
	if *long {
		return []cut{{1000, 1, 1, 0}, {1000, 2, 2, 0}, {1000, 4, 2, 7000}, {100, 2, 2, 500}, {8192, 3, 1, 20_000}, {10, 1, 2, 200}}
	}
	return []cut{{1000, 2, 2, 20_000}}
}

// TestLiveGivesTheAnswers runs all queries at the same time over events that come in portions.
func TestLiveGivesTheAnswers(t *testing.T) {
	for _, c := range cuts() {
		t.Run(fmt.Sprintf("%d rows in %d partitions, %d events at a time", c.rows, c.partitions, c.events), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			b := openEmpty(t, c)
			in := golden(b)
			if c.events == 0 {
				feed(t, b, goldenEvents)
			}
			running := map[string]*structured.StreamingQuery{}
			for _, q := range append(nexmark.Queries(), nexmark.Patterns()...) {
				if sq, err := remember(ctx, b, q); !pending(t, q.Name, err) {
					running[q.Name] = sq
				}
			}
			if c.events > 0 {
				feed(t, b, c.events)
			}
			for name, sq := range running {
				want, err := in.Rows(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := sq.AwaitTermination(ctx); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				rows, err := b.Run(ctx, "SELECT * FROM live_"+name, structured.RunOptions{}, structured.ExecOptions{})
				if err != nil {
					t.Fatal(err)
				}
				t.Run(name, func(t *testing.T) { same(t, collect(t, rows), want) })
			}
		})
	}
}

func openEmpty(t *testing.T, c cut) *Bench {
	t.Helper()
	o := Options{Source: "topic", Format: "arrow", Partitions: c.partitions, Slots: c.slots, Rows: c.rows, Events: goldenEvents, Dir: t.TempDir(), Stamped: true, Logger: slog.New(slog.DiscardHandler)}
	o.TPS, o.Seed = goldenTPS, 1
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// feed writes all events, so many at a time, and seals the topics. A kind's rows are written in whole log batches.
func feed(t *testing.T, b *Bench, step int64) {
	t.Helper()
	written := map[nexmark.Kind]int64{}
	for e := int64(0); e < goldenEvents; {
		e = min(e+step, goldenEvents)
		for _, k := range nexmark.Kinds {
			to := k.Rows(e)
			if e < goldenEvents {
				to -= to % int64(b.opts.Rows)
			}
			if err := b.Append(t.Context(), k, written[k], to); err != nil {
				t.Fatal(err)
			}
			written[k] = to
		}
	}
	for _, k := range nexmark.Kinds {
		if err := b.Seal(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
}

// remember starts a query into a table in memory, which shows what its result has come to.
func remember(ctx context.Context, b *Bench, q nexmark.Query) (*structured.StreamingQuery, error) {
	df, err := b.SQL(ctx, q.SQL)
	if err != nil {
		return nil, err
	}
	return df.WriteStream().QueryName("live_"+q.Name).OutputMode(q.Mode).Format("memory").From("beginning").Start(ctx, "")
}

// unfinished are queries that some sink refuses: they may be refused, not answered wrongly.
var unfinished = map[string]bool{"q6": true}

func pending(t *testing.T, query string, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if u, ok := usererr.As(err); !ok || !unfinished[query] {
		t.Errorf("%s: %v", query, err)
	} else {
		t.Logf("%s: %s", query, u.Code)
	}
	return true
}
