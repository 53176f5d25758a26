package expr

import (
	"math/bits"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// A bitmap has a bit for each of 32768 numbers: 4096 bytes. The numbers of a column are cut into buckets of so many.
const (
	bitmapBits  = 32768
	bitmapBytes = bitmapBits / 8
)

func init() {
	register("bitwise",
		&Function{Name: "bitmap_bit_position", in: params("l:n"), out: outOf(column.Int64), Doc: "The place of a number in the bitmap of its bucket.", Example: "bitmap_bit_position(32769) -> 0", cost: 2,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 {
				if n := a[0].I64[i]; n > 0 {
					return (n - 1) % bitmapBits
				} else {
					return -n % bitmapBits
				}
			})},
		&Function{Name: "bitmap_bucket_number", in: params("l:n"), out: outOf(column.Int64), Doc: "The bucket of 32768 numbers that a number belongs to.", Example: "bitmap_bucket_number(32769) -> 2", cost: 2,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 {
				if n := a[0].I64[i]; n > 0 {
					return 1 + (n-1)/bitmapBits
				} else {
					return n / bitmapBits
				}
			})},
		&Function{Name: "bitmap_count", in: params("x:bitmap"), out: outOf(column.Int64), Doc: "The number of bits that are set.", Example: "bitmap_count(unhex('FF01')) -> 9", cost: 50,
			kernel: rowInt(func(_ *kctx, a []*column.Vector, i int) int64 {
				n := 0
				for _, b := range a[0].Bytes(i) {
					n += bits.OnesCount8(b)
				}
				return int64(n)
			})},
	)
	bitmap := func(name, in, doc, example string, op byte) *Function {
		return &Function{Name: name, Kind: Aggregate, in: params(in), out: outOf(column.Binary), null: never, Doc: doc, Example: example, agg: func(*Agg) (aggregator, error) {
			return aggregator{state: []column.Type{column.Of(column.Binary)}, make: func() Accumulator { return &bitmapAcc{op: op} }}, nil
		}}
	}
	register("aggregate",
		bitmap("bitmap_construct_agg", "l:position", "The bitmap of the positions that bitmap_bit_position gives.", "bitmap_count(bitmap_construct_agg(bitmap_bit_position(x))) over 1, 2, 2 -> 2", 'c'),
		bitmap("bitmap_or_agg", "x:bitmap", "The bits that are set in any bitmap.", "bitmap_count(bitmap_or_agg(unhex(cast(x as string)))) over 10, 1 -> 2", '|'),
		bitmap("bitmap_and_agg", "x:bitmap", "The bits that are set in every bitmap.", "bitmap_count(bitmap_and_agg(unhex(cast(x as string)))) over 30, 10 -> 1", '&'),
	)
}

// bitmapAcc keeps a bitmap for each group.
type bitmapAcc struct {
	op   byte // 'c': of positions; '|' and '&': of bitmaps
	maps [][]byte
}

func (b *bitmapAcc) Resize(n int) { b.maps = grow(b.maps, n) }

func (b *bitmapAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !args[0].IsValid(i) {
			continue
		}
		if b.op != 'c' {
			b.combine(g, args[0].Bytes(i))
			continue
		}
		at := args[0].I64[i]
		if at < 0 || at >= bitmapBits {
			return usererr.New("INVALID_BITMAP_POSITION", "22003", "The 0-indexed bitmap position %d is out of bounds. The bitmap has %d bits (%d bytes).", at, bitmapBits, bitmapBytes).WithFix("Use bitmap_bit_position.")
		}
		b.start(g, 0)
		b.maps[g][at/8] |= 1 << (at % 8)
	}
	return nil
}

func (b *bitmapAcc) start(g uint32, fill byte) {
	if b.maps[g] != nil {
		return
	}
	b.maps[g] = make([]byte, bitmapBytes)
	if fill != 0 {
		for i := range b.maps[g] {
			b.maps[g][i] = fill
		}
	}
}

func (b *bitmapAcc) combine(g uint32, m []byte) {
	if b.op == '&' {
		b.start(g, 0xff)
		for i := range b.maps[g] {
			if i < len(m) {
				b.maps[g][i] &= m[i]
			} else {
				b.maps[g][i] = 0
			}
		}
		return
	}
	b.start(g, 0)
	for i := range min(len(m), bitmapBytes) {
		b.maps[g][i] |= m[i]
	}
}

func (b *bitmapAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if state[0].IsValid(i) {
			b.combine(g, state[0].Bytes(i))
		}
	}
	return nil
}

func (b *bitmapAcc) State() []*column.Vector {
	out := column.NewBuilder(column.Of(column.Binary))
	for _, m := range b.maps {
		if m == nil {
			out.AppendNull()
		} else {
			out.AppendBytes(m)
		}
	}
	return []*column.Vector{out.Finish()}
}

func (b *bitmapAcc) Result() (*column.Vector, error) {
	out := column.NewBuilder(column.Of(column.Binary))
	for g := range b.maps {
		fill := byte(0)
		if b.op == '&' {
			fill = 0xff
		}
		b.start(uint32(g), fill)
		out.AppendBytes(b.maps[g])
	}
	return out.Finish(), nil
}

func (b *bitmapAcc) Reset() { b.maps = b.maps[:0] }

func (b *bitmapAcc) Bytes() int64 {
	n := int64(24 * cap(b.maps))
	for _, m := range b.maps {
		n += int64(len(m))
	}
	return n
}
