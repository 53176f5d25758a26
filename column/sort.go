package column

import (
	"math"
	"slices"
)

// SortIndices returns the rows of b in the order of the keys; equal rows keep their order. Each key is turned into an
// order-preserving word, rows are radix-sorted by the words, and only runs of equal words look further.
func SortIndices(b *Batch, keys []SortKey) []int32 {
	idx := AllRows(nil, b.N)
	if len(keys) == 0 || b.N < 2 {
		return idx
	}
	s := sorter{b: b, keys: keys}
	s.sort(idx, 0)
	return idx
}

type sorter struct {
	b     *Batch
	keys  []SortKey
	pairs []wordRow // scratch
	spare []wordRow
}

// wordRow is a row and the order-preserving word of the key being sorted.
type wordRow struct {
	word uint64
	row  int32
}

const smallRun = 24

// sort orders rows by the keys from key k on.
func (s *sorter) sort(rows []int32, k int) {
	if len(rows) < 2 || k == len(s.keys) {
		return
	}
	if len(rows) <= smallRun {
		s.compareSort(rows, s.keys[k:])
		return
	}
	v, key := s.b.Cols[s.keys[k].Col], s.keys[k]
	nulls, valued := splitNulls(v, rows, key.NullsFirst)
	s.sort(nulls, k+1)
	pairs := s.scratch(len(valued))
	exact := normalise(pairs, v, valued, key.Desc)
	s.radix(pairs)
	for i := range pairs {
		valued[i] = pairs[i].row
	}
	for _, r := range ties(pairs) {
		run := valued[r[0]:r[1]]
		switch {
		case exact(r[2]):
			s.sort(run, k+1)
		default:
			s.compareSort(run, s.keys[k:])
		}
	}
}

func (s *sorter) scratch(n int) []wordRow {
	if cap(s.pairs) < n {
		s.pairs, s.spare = hugeSlice[wordRow](n), hugeSlice[wordRow](n)
	}
	return s.pairs[:n]
}

func (s *sorter) compareSort(rows []int32, keys []SortKey) {
	slices.SortStableFunc(rows, func(i, j int32) int { return CompareRows(s.b, int(i), s.b, int(j), keys) })
}

// splitNulls moves null rows of v to the front or the back of rows, keeping the order, and returns both parts.
func splitNulls(v *Vector, rows []int32, first bool) (nulls, valued []int32) {
	if v.Type.Kind == Null {
		return rows, nil
	}
	if v.Valid == nil {
		return nil, rows
	}
	var null []int32
	k := 0
	for _, r := range rows {
		if bit(v.Valid, int(r)) {
			rows[k] = r
			k++
		} else {
			null = append(null, r)
		}
	}
	if !first {
		copy(rows[k:], null)
		return rows[k:], rows[:k]
	}
	copy(rows[len(null):], rows[:k])
	copy(rows, null)
	return rows[:len(null)], rows[len(null):]
}

// ties lists the runs of equal words longer than one as {from, to, 1 if the word is inexact by its low byte}.
func ties(pairs []wordRow) [][3]int {
	var out [][3]int
	for i := 0; i < len(pairs); {
		j := i + 1
		for j < len(pairs) && pairs[j].word == pairs[i].word {
			j++
		}
		if j > i+1 {
			out = append(out, [3]int{i, j, int(pairs[i].word & 0xFF)})
		}
		i = j
	}
	return out
}

func always(int) bool { return true }
func never(int) bool  { return false }

// normalise fills pairs with the rows and the words of v, inverted when descending. The function returned tells, from
// the low byte of a word, whether rows with that same word are equal.
func normalise(pairs []wordRow, v *Vector, rows []int32, desc bool) func(int) bool {
	var flip uint64
	if desc {
		flip = ^uint64(0)
	}
	exact := always
	switch v.Type.Kind.Storage() {
	case StorageBool:
		for i, r := range rows {
			pairs[i] = wordRow{uint64(boolInt(v.Bools[r])) ^ flip, r}
		}
	case StorageI8:
		normaliseInts(pairs, v.I8, rows, flip)
	case StorageI16:
		normaliseInts(pairs, v.I16, rows, flip)
	case StorageI32:
		normaliseInts(pairs, v.I32, rows, flip)
	case StorageI64:
		normaliseInts(pairs, v.I64, rows, flip)
	case StorageF32:
		for i, r := range rows {
			pairs[i] = wordRow{floatOrder(float64(v.F32[r])) ^ flip, r}
		}
	case StorageF64:
		for i, r := range rows {
			pairs[i] = wordRow{floatOrder(v.F64[r]) ^ flip, r}
		}
	case StorageDec:
		exact = normaliseDecimals(pairs, v.Dec, rows, flip)
	case StorageBytes:
		exact = normaliseStrings(pairs, v, rows, flip)
	default:
		for i, r := range rows {
			pairs[i] = wordRow{0, r}
		}
		exact = never
	}
	return exact
}

func normaliseInts[T Integer](pairs []wordRow, src []T, rows []int32, flip uint64) {
	for i, r := range rows {
		pairs[i] = wordRow{uint64(int64(src[r])) ^ 1<<63 ^ flip, r}
	}
}

// floatOrder maps a float to a word in the same order, NaN above all.
func floatOrder(x float64) uint64 {
	b := floatBits(x)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// normaliseDecimals uses the low word when every value fits into it, else the high word.
func normaliseDecimals(pairs []wordRow, src []Dec128, rows []int32, flip uint64) func(int) bool {
	narrow := true
	for _, r := range rows {
		narrow = narrow && src[r].Hi == int64(src[r].Lo)>>63
	}
	for i, r := range rows {
		w := uint64(src[r].Hi)
		if narrow {
			w = src[r].Lo
		}
		pairs[i] = wordRow{w ^ 1<<63 ^ flip, r}
	}
	if narrow {
		return always
	}
	return never
}

// normaliseStrings ranks a small dictionary, else uses the first seven bytes and the length up to eight: rows that agree
// in a word with a length below eight are equal.
func normaliseStrings(pairs []wordRow, v *Vector, rows []int32, flip uint64) func(int) bool {
	if v.Codes != nil && v.Dict.N <= len(rows) {
		rank := dictRanks(v.Dict)
		for i, r := range rows {
			pairs[i] = wordRow{rank[v.Codes[r]] ^ flip, r}
		}
		return always
	}
	for i, r := range rows {
		pairs[i] = wordRow{stringWord(v.Bytes(int(r))) ^ flip, r}
	}
	low := int(flip & 0xFF)
	return func(b int) bool { return b^low < 8 }
}

func stringWord(s []byte) uint64 {
	var w uint64
	for i := range min(len(s), 7) {
		w |= uint64(s[i]) << (56 - 8*uint(i))
	}
	return w | uint64(min(len(s), 8))
}

// dictRanks numbers the entries of a dictionary by order; equal entries share a number.
func dictRanks(d *Vector) []uint64 {
	order := AllRows(nil, d.N)
	slices.SortFunc(order, func(i, j int32) int { return CompareValues(d, int(i), d, int(j)) })
	rank := make([]uint64, d.N)
	next := uint64(0)
	for i, r := range order {
		if i > 0 && CompareValues(d, int(order[i-1]), d, int(r)) != 0 {
			next++
		}
		rank[r] = next
	}
	return rank
}

// radix sorts pairs by word, stably, one byte a pass from the lowest; bytes in which all words agree are skipped.
func (s *sorter) radix(pairs []wordRow) {
	if len(pairs) < 2 {
		return
	}
	or, and := uint64(0), uint64(math.MaxUint64)
	sorted, last := true, uint64(0)
	for i := range pairs {
		w := pairs[i].word
		or, and = or|w, and&w
		sorted = sorted && w >= last
		last = w
	}
	if sorted {
		return
	}
	src, dst := pairs, s.spare[:len(pairs)]
	for shift := uint(0); shift < 64; shift += 8 {
		if (or^and)>>shift&0xFF == 0 {
			continue
		}
		radixPass(dst, src, shift)
		src, dst = dst, src
	}
	if &src[0] != &pairs[0] {
		copy(pairs, src)
	}
}

func radixPass(dst, src []wordRow, shift uint) {
	var at [256]int32
	for i := range src {
		at[src[i].word>>shift&0xFF]++
	}
	sum := int32(0)
	for i, c := range at {
		at[i] = sum
		sum += c
	}
	for i := range src {
		p := &at[src[i].word>>shift&0xFF]
		dst[*p] = src[i]
		*p++
	}
}
