package physical

import (
	"bytes"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
)

// topFilter lets pass, of the rows that a batch brings to a partition, those that may be among its first: not those behind N
// others of the same batch. It keeps the order keys of the first rows of each partition as a heap with the last one on top.
type topFilter struct{ tops []topHeap }

type topHeap [][]byte

// maxTopFilter is the largest N for which rows are filtered before they are sorted.
const maxTopFilter = 64

func (f *topFilter) passes(r *Rank, g uint32, order []byte) bool {
	if r.Function != "row_number" || r.N > maxTopFilter {
		return true
	}
	for uint32(len(f.tops)) <= g {
		f.tops = append(f.tops, nil)
	}
	h := &f.tops[g]
	if int64(len(*h)) < r.N {
		h.push(slices.Clone(order))
		return true
	}
	switch c := bytes.Compare(order, (*h)[0]); {
	case c > 0:
		return false
	case c < 0:
		(*h)[0] = append((*h)[0][:0], order...)
		h.sink()
	}
	return true
}

func (h *topHeap) push(b []byte) {
	*h = append(*h, b)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if bytes.Compare(s[up], s[i]) >= 0 {
			break
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

func (h *topHeap) sink() {
	s := *h
	for i := 0; ; {
		k := 2*i + 1
		if k >= len(s) {
			return
		}
		if k+1 < len(s) && bytes.Compare(s[k+1], s[k]) > 0 {
			k++
		}
		if bytes.Compare(s[i], s[k]) >= 0 {
			return
		}
		s[i], s[k] = s[k], s[i]
		i = k
	}
}

// differences puts out how the first rows of a partition differ from what they were.
func (x *rankRun) differences() error {
	if x.r.Function == "row_number" && x.r.Number {
		return x.byNumber()
	}
	a, b := x.old, x.fresh
	var gone []ranked
	var came int64
	for len(a) > 0 || len(b) > 0 {
		c := 0
		switch {
		case len(a) == 0:
			c = 1
		case len(b) == 0:
			c = -1
		default:
			c = bytes.Compare(a[0].key, b[0].key)
		}
		switch {
		case c < 0:
			gone, a = append(gone, a[0]), a[1:]
		case c > 0:
			came += b[0].n
			if err := x.put(b[0], b[0].rank, b[0].n); err != nil {
				return err
			}
			b = b[1:]
		default:
			if err := x.turned(a[0], b[0], &gone, &came); err != nil {
				return err
			}
			a, b = a[1:], b[1:]
		}
	}
	if x.r.Upserts && came > 0 {
		return nil // N is 1: the new row replaces the old one
	}
	for _, g := range gone {
		if err := x.put(g, g.rank, -g.n); err != nil {
			return err
		}
	}
	return nil
}

// turned puts out a row that was there and is.
func (x *rankRun) turned(old, now ranked, gone *[]ranked, came *int64) error {
	if x.r.Number && old.rank != now.rank {
		*gone = append(*gone, old)
		*came += now.n
		return x.put(now, now.rank, now.n)
	}
	switch d := now.n - old.n; {
	case d > 0:
		*came += d
		return x.put(now, now.rank, d)
	case d < 0:
		old.n = -d
		*gone = append(*gone, old)
	}
	return nil
}

// byNumber compares the rows of each number.
func (x *rankRun) byNumber() error {
	var i, j int
	var left, right int64 // how many numbers of old[i] and fresh[j] are done
	for number := int64(1); i < len(x.old) || j < len(x.fresh); number++ {
		had, has := i < len(x.old), j < len(x.fresh)
		if !(had && has && bytes.Equal(x.old[i].key, x.fresh[j].key)) {
			if had && !(has && x.r.Upserts) {
				if err := x.put(x.old[i], number, -1); err != nil {
					return err
				}
			}
			if has {
				if err := x.put(x.fresh[j], number, 1); err != nil {
					return err
				}
			}
		}
		if had {
			if left++; left == x.old[i].n {
				i, left = i+1, 0
			}
		}
		if has {
			if right++; right == x.fresh[j].n {
				j, right = j+1, 0
			}
		}
	}
	return nil
}

// put puts a row out.
func (x *rankRun) put(r ranked, rank, weight int64) error {
	if err := column.DecodeRow(r.row, x.rows.Cols); err != nil {
		return err
	}
	x.numbers, x.weights = append(x.numbers, int32(rank)), append(x.weights, weight)
	if len(x.weights) == column.BatchRows {
		x.flush()
	}
	return nil
}

func (x *rankRun) flush() {
	n := len(x.weights)
	if n == 0 {
		return
	}
	out := &column.Batch{Schema: x.r.Out, N: n, Cols: x.rows.Finish().Clone().Cols}
	if x.r.Number {
		out.Cols = append(out.Cols, &column.Vector{Type: integer, N: n, I32: slices.Clone(x.numbers)})
	}
	if len(out.Cols) < len(x.r.Out.Fields) {
		out.Cols = append(out.Cols, &column.Vector{Type: bigint, N: n, I64: slices.Clone(x.weights)})
	}
	x.rows.Reset()
	x.numbers, x.weights = x.numbers[:0], x.weights[:0]
	x.emit(out)
}

// close drops the partitions that the watermark has passed; in mode append their first rows are what is put out.
func (x *rankRun) close() error {
	buckets, err := x.state.Buckets(x.mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if x.r.Mode == connector.Append {
			if err := x.putBucket(b); err != nil {
				return err
			}
		}
		if err := x.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// putBucket puts out the first rows of all partitions of a bucket.
func (x *rankRun) putBucket(bucket int64) error {
	var owners []dueKey
	err := x.state.Scan(bucket, func(group int, key, _ []byte) bool {
		if owner, head, _ := inSet(key); head {
			owners = append(owners, dueKey{group, slices.Clone(owner)})
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, o := range owners {
		if err := x.set.open(bucket, o.group, o.key); err != nil {
			return err
		}
		if x.old, err = x.first(x.old[:0]); err != nil {
			return err
		}
		number := int64(0)
		for _, r := range x.old {
			for range r.n {
				number++
				rank := r.rank
				if x.r.Function == "row_number" {
					rank = number
				}
				if err := x.put(r, rank, 1); err != nil {
					return err
				}
			}
		}
		x.set.release()
	}
	return nil
}
