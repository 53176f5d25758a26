package rdd

import (
	"slices"
	"testing"

	"github.com/streamflow/streamflow/column"
)

func longs(values ...any) *column.Batch {
	s := column.NewSchema(column.Field{Name: "other", Type: column.Of(column.String), Nullable: true}, column.Field{Name: "k", Type: column.Of(column.Int64), Nullable: true})
	b := column.NewBatchBuilder(s)
	for _, v := range values {
		if err := b.AppendRow("x", v); err != nil {
			panic(err)
		}
	}
	return b.Finish()
}

func TestKeyGroupsAreSharedOutInRanges(t *testing.T) {
	for n := 1; n <= 1024; n += 37 {
		last, seen := 0, map[int]bool{}
		for kg := range KeyGroups {
			p := PartitionOf(kg, n)
			if p < last || p >= n {
				t.Fatalf("group %d of %d partitions goes to %d after %d", kg, n, p, last)
			}
			last, seen[p] = p, true
		}
		if len(seen) != n {
			t.Errorf("%d of %d partitions have groups", len(seen), n)
		}
	}
	if KeyGroup(^uint64(0)) != KeyGroups-1 || KeyGroup(0) != 0 {
		t.Error("key groups are out of range")
	}
}

func TestHashFollowsKeyGroups(t *testing.T) {
	b := longs(int64(1), int64(2), int64(3), nil, int64(1))
	got := NewAssigner(Partitioner{Kind: Hash, Keys: []int{1}, N: 7}, 0).Assign(nil, b)
	for i, h := range column.Hash(nil, b.Cols[1:], b.N) {
		if want := PartitionOf(KeyGroup(h), 7); int(got[i]) != want {
			t.Errorf("row %d goes to %d, its key group is in %d", i, got[i], want)
		}
	}
	if got[0] != got[4] {
		t.Error("equal keys went different ways")
	}
}

func TestRangeGoesByBounds(t *testing.T) {
	bounds := longs(int64(10), int64(20))
	bounds = column.NewBatch(column.NewSchema(bounds.Schema.Fields[1]), 2, bounds.Cols[1])
	rows := longs(int64(5), int64(10), int64(11), int64(20), int64(99), nil)
	p := Partitioner{Kind: Range, Keys: []int{1}, Bounds: bounds, N: 3}
	if got := NewAssigner(p, 0).Assign(nil, rows); !slices.Equal(got, []int32{0, 0, 1, 1, 2, 2}) {
		t.Errorf("nulls last: %v", got)
	}
	p.NullsF = []bool{true}
	if got := NewAssigner(p, 0).Assign(nil, rows); !slices.Equal(got, []int32{0, 0, 1, 1, 2, 0}) {
		t.Errorf("nulls first: %v", got)
	}
	p = Partitioner{Kind: Range, Keys: []int{1}, Desc: []bool{true}, N: 3,
		Bounds: column.NewBatch(bounds.Schema, 2, column.Take(nil, bounds.Cols[0], []int32{1, 0}))}
	if got := NewAssigner(p, 0).Assign(nil, longs(int64(99), int64(20), int64(15), int64(10), int64(1))); !slices.Equal(got, []int32{0, 0, 1, 1, 2}) {
		t.Errorf("descending: %v", got)
	}
	p.Bounds = nil
	if got := NewAssigner(p, 0).Assign(nil, rows); !slices.Equal(got, make([]int32, 6)) {
		t.Errorf("no bounds: %v", got)
	}
}

func TestRoundRobinDealsOn(t *testing.T) {
	a := NewAssigner(Partitioner{Kind: RoundRobin, N: 3}, 1)
	first := slices.Clone(a.Assign(nil, longs(nil, nil)))
	second := a.Assign(nil, longs(nil, nil))
	if !slices.Equal(first, []int32{1, 2}) || !slices.Equal(second, []int32{0, 1}) {
		t.Error(first, second)
	}
	if got := NewAssigner(Partitioner{Kind: Single, N: 1}, 5).Assign(make([]int32, 9), longs(nil, nil)); !slices.Equal(got, []int32{0, 0}) {
		t.Error(got)
	}
}

func BenchmarkAssign(b *testing.B) {
	var values []any
	for i := range column.BatchRows {
		values = append(values, int64(i*7919))
	}
	batch := longs(values...)
	a := NewAssigner(Partitioner{Kind: Hash, Keys: []int{1}, N: 8}, 0)
	var dst []int32
	for b.Loop() {
		dst = a.Assign(dst, batch)
	}
	b.ReportMetric(float64(b.N)*column.BatchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
