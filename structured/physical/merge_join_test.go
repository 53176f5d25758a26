package physical

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

// skewed is rows of keys of which one has a large share, and some are null.
func skewed(t *testing.T, rng *rand.Rand, name string, rows int) *memory.Table {
	schema, err := column.ParseDDL("k BIGINT, s STRING, v BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatchBuilder(schema)
	for i := range rows {
		key := any(rng.Int64N(int64(rows/4 + 1)))
		switch rng.IntN(10) {
		case 0:
			key = nil
		case 1, 2:
			key = int64(7)
		}
		if err := b.AppendRow(key, fmt.Sprint("text ", rng.IntN(3)), int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	table := memory.New(name, schema, 2)
	all := b.Finish()
	for part := range 2 {
		if err := table.Append(part, all.Slice(rows*part/2, rows*(part+1)/2).Clone()); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// TestMergeJoinOfAKeyThatDoesNotFit gives merge joins in little memory the answers of hash joins in much.
func TestMergeJoinOfAKeyThatDoesNotFit(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	c := tables{"a": skewed(t, rng, "a", 3000), "b": skewed(t, rng, "b", 2000)}
	for _, kind := range []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"} {
		for _, on := range []string{"a.k = b.k AND mod(a.v, 50) < mod(b.v, 3)", "a.k <=> b.k AND a.s = b.s AND mod(b.v, 40) = 1"} {
			list := "a.k, a.s, a.v, b.k, b.v"
			if strings.Contains(kind, "SEMI") || strings.Contains(kind, "ANTI") {
				list = "a.k, a.s, a.v"
			}
			text := fmt.Sprintf("SELECT /*+ %%s(a) */ %s FROM a %s b ON %s", list, kind, on)
			opt := Options{Parts: 2, ANSI: true, Conf: map[string]string{BroadcastThreshold: "-1"}}
			want := runSQL(t, c, fmt.Sprintf(text, "SHUFFLE_HASH"), opt)
			r := newRunner(t)
			mem := &refusing{stingy: stingy{limit: 48 << 10}}
			r.memory = mem
			if got := runSQLWith(t, r, c, fmt.Sprintf(text, "MERGE"), opt); got != want {
				t.Fatalf("seed %d: %s\n%d lines, want %d", seed, text, strings.Count(got, "\n"), strings.Count(want, "\n"))
			}
			if mem.refused == 0 {
				t.Error("memory was never refused")
			}
		}
	}
}

// TestMergeJoinIsChosen by hint, by setting, and where both sides are sorted already; sides that are sorted are not sorted again.
func TestMergeJoinIsChosen(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := tables{"a": skewed(t, rng, "a", 30), "b": skewed(t, rng, "b", 20)}
	over := func(table string) string {
		return "(SELECT k, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM " + table + ")"
	}
	sorted := "SELECT * FROM " + over("a") + " x JOIN " + over("b") + " y ON x.k = y.k"
	for _, x := range []struct {
		text, prefer, kind string
		sorts              int
	}{
		{"SELECT /*+ MERGE(b) */ * FROM a JOIN b ON a.k = b.k", "", "MergeJoin", 2},
		{"SELECT * FROM a JOIN b ON a.k = b.k", "true", "MergeJoin", 2},
		{"SELECT * FROM a JOIN b ON a.k = b.k", "", "HashJoin", 0},
		{"SELECT /*+ SHUFFLE_HASH(a) */ * FROM a JOIN b ON a.k = b.k", "true", "HashJoin", 0},
		{"SELECT /*+ MERGE(b) */ * FROM a JOIN b ON a.v < b.v", "", "HashJoin", 0},
		{sorted, "", "MergeJoin", 2},
	} {
		l, err := fromSQL(x.text, c)
		if err != nil {
			t.Fatal(err)
		}
		phys, err := Plan(t.Context(), l, Options{Parts: 2, Conf: map[string]string{BroadcastThreshold: "-1", PreferSortMergeJoin: x.prefer}})
		if err != nil {
			t.Fatal(err)
		}
		joins, sorts := "", 0
		phys.Root.Walk(func(n *Node) {
			if strings.HasSuffix(n.Kind, "Join") {
				joins += n.Kind
			}
			if n.Kind == "Sort" {
				sorts++
			}
		})
		if joins != x.kind || sorts != x.sorts {
			t.Errorf("%s (prefer %q): %s with %d sorts, want %s with %d", x.text, x.prefer, joins, sorts, x.kind, x.sorts)
		}
	}
}

// BenchmarkMergeJoin joins sides of 200,000 rows by hash and by merging.
func BenchmarkMergeJoin(b *testing.B) {
	lt, _ := people(b, 200_000, 1)
	rt, _ := people(b, 200_000, 2)
	for _, hint := range []string{"shuffle_hash", "merge"} {
		b.Run(hint, func(b *testing.B) {
			for b.Loop() {
				l, r := scanOf(lt, false), scanOf(rt, false)
				j := &logical.Join{Kind: logical.LeftSemi, Left: l, Right: r, Cond: joinCond(b, "keys", l, r), Hint: hint}
				phys, err := Plan(b.Context(), j, Options{Parts: 2})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := newRunner(b).run(phys.Lower(), phys.Binding()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
