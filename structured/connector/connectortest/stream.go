package connectortest

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Growing is a table under test that the suite can make grow.
type Growing struct {
	Table  connector.StreamReader
	Append func(b *column.Batch) error // to any partition
	Seal   func()                      // nil when the table has no end
}

// Stream checks a table that grows: each row is read exactly once whatever the cuts, and waiting is ended by data.
func Stream(t *testing.T, make func(t *testing.T) Growing, services map[string]any) {
	t.Helper()
	t.Run("every cut reads each row once", func(t *testing.T) {
		for seed := uint64(0); seed < 5; seed++ {
			cutRandomly(t, make(t), seed, services)
		}
	})
	t.Run("now begins at the end", func(t *testing.T) {
		g := make(t)
		grow(t, g, 0, 10)
		ctx := context.Background()
		from, err := g.Table.Begin(ctx, connector.Start{Mode: "now"})
		if err != nil {
			t.Fatal(err)
		}
		grow(t, g, 10, 5)
		have, err := g.Table.Available(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := bind(t, g, from, have.End, services)
		same(t, rowsOf(got), rowsOf([]*column.Batch{Rows(10, 5)}))
	})
	t.Run("wait is woken by data", func(t *testing.T) {
		g := make(t)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		have, err := g.Table.Available(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done := woken(ctx, g, have.End)
		grow(t, g, 0, 1)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
	t.Run("wait ends with its context", func(t *testing.T) {
		g := make(t)
		have, err := g.Table.Available(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := woken(ctx, g, have.End)
		cancel()
		if err := <-done; err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("the end is told", func(t *testing.T) {
		g := make(t)
		if g.Seal == nil {
			t.Skip("the table has no end")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		have, err := g.Table.Available(ctx)
		if err != nil || have.Ended {
			t.Fatalf("ended %v, error %v before the end", have.Ended, err)
		}
		done := woken(ctx, g, have.End)
		g.Seal()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if have, err = g.Table.Available(ctx); err != nil || !have.Ended {
			t.Fatalf("ended %v, error %v after the end", have.Ended, err)
		}
	})
}

func woken(ctx context.Context, g Growing, after connector.Offsets) <-chan error {
	done := make(chan error, 1)
	go func() { done <- g.Table.Wait(ctx, after) }()
	return done
}

func grow(t *testing.T, g Growing, from, n int) {
	t.Helper()
	if err := g.Append(Rows(from, n)); err != nil {
		t.Fatal(err)
	}
}

// cutRandomly appends rows in portions and reads them in other portions.
func cutRandomly(t *testing.T, g Growing, seed uint64, services map[string]any) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	ctx := context.Background()
	at, err := g.Table.Begin(ctx, connector.Start{Mode: "beginning"})
	if err != nil {
		t.Fatal(err)
	}
	var got []*column.Batch
	n := 0
	for n < 200 {
		k := 1 + rng.IntN(40)
		grow(t, g, n, k)
		n += k
		have, err := g.Table.Available(ctx)
		if err != nil {
			t.Fatal(err)
		}
		to := append(connector.Offsets{}, have.End...)
		for p := range to {
			if to[p] > at[p] {
				to[p] = at[p] + rng.Int64N(to[p]-at[p]+1)
			}
		}
		got = append(got, bind(t, g, at, to, services)...)
		at = to
	}
	have, err := g.Table.Available(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, bind(t, g, at, have.End, services)...)
	same(t, rowsOf(got), rowsOf([]*column.Batch{Rows(0, n)}))
}

// bind reads a range of all partitions.
func bind(t *testing.T, g Growing, from, to connector.Offsets, services map[string]any) []*column.Batch {
	t.Helper()
	s, err := g.Table.PlanStream(context.Background(), request(0, 1, 2, 3, 4))
	if err != nil {
		t.Fatal(err)
	}
	splits := g.Table.Bind(from, to)
	for p := range splits {
		if from[p] == to[p] && len(splits[p]) > 0 {
			t.Fatalf("partition %d: splits for an empty range", p)
		}
	}
	return read(t, s.Op, append([][]rdd.Split{}, splits...), services)
}
