package run

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/internal/nexmark/answer"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

const (
	goldenEvents = 60_000 // the first persons whom bids name come after 50,000
	goldenTPS    = 1500   // forty seconds of event time
)

func openBench(t *testing.T, o Options) *Bench {
	t.Helper()
	o.Events, o.TPS, o.Seed, o.Dir, o.Stamped = goldenEvents, goldenTPS, 1, t.TempDir(), true
	o.Rows, o.Logger = 1000, slog.New(slog.DiscardHandler)
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.Load(t.Context(), nexmark.Kinds, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// golden is what the queries must give over a bench's topics.
func golden(b *Bench) *answer.Input {
	in := answer.Load(b.gen, b.opts.Events)
	for i := range in.Arrived {
		in.Arrived[i] = b.Stamp(nexmark.Bid, int64(i/b.opts.Rows*b.opts.Rows)) * 1000
	}
	return in
}

// lines are rows as text, sorted.
func lines(rows []answer.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, strings.Join(r, "|"))
	}
	slices.Sort(out)
	return out
}

func collect(t *testing.T, rows structured.Rows) []answer.Row {
	t.Helper()
	defer rows.Close()
	var out []answer.Row
	for {
		b, err := rows.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.N {
			var r answer.Row
			for _, v := range b.Cols {
				if v.IsValid(i) {
					r = append(r, structured.CellString(v, i, time.UTC))
				} else {
					r = append(r, "NULL")
				}
			}
			out = append(out, r)
		}
	}
}

func same(t *testing.T, got, want []answer.Row) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("the answer has no rows: it tests nothing")
	}
	g, w := lines(got), lines(want)
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			at := func(l []string) string {
				if i < len(l) {
					return l[i]
				}
				return "(nothing)"
			}
			t.Fatalf("%d rows, want %d; the first that differs:\n got  %s\n want %s", len(g), len(w), at(g), at(w))
		}
	}
}

func TestHistoryGivesTheAnswers(t *testing.T) {
	for _, o := range []Options{{Source: "topic", Format: "arrow", Partitions: 2}, {Source: "topic", Format: "json", Partitions: 1}} {
		t.Run(o.Format, func(t *testing.T) {
			b := openBench(t, o)
			in := golden(b)
			for _, q := range append(nexmark.Queries(), nexmark.Patterns()...) {
				if o.Format == "json" && !slices.Contains(ofJSON, q.Name) {
					continue
				}
				t.Run(q.Name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					want, err := in.Rows(q.Name)
					if err != nil {
						t.Fatal(err)
					}
					rows, err := b.History(ctx, q)
					if refused(t, historyRefuses, q.Name, err) {
						return
					}
					same(t, collect(t, rows), want)
				})
			}
		})
	}
}

// ofJSON are the queries that are tried over records of JSON too: together they read every column of the three tables.
var ofJSON = []string{"q0", "q3", "q8", "q9", "q21"}

// historyRefuses has the code with which a query is refused over history.
var historyRefuses = map[string]string{}

// refused checks a query that is expected to be refused, and fails for one that no longer is.
func refused(t *testing.T, expected map[string]string, query string, err error) bool {
	t.Helper()
	code := expected[query]
	if code == "" {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	if err == nil {
		t.Fatalf("%s runs now: it is no longer one that is refused with %s", query, code)
	}
	if u, ok := usererr.As(err); !ok || u.Code != code {
		t.Fatalf("refused with %v, want %s", err, code)
	}
	return true
}
