package expr

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// hash and xxhash64 are Spark's, bit for bit: each column's hash is the seed of the next; nulls leave it as it is.

func init() {
	seeded := func(name string, kind column.Kind, doc, example string, seed uint64, h hasher) *Function {
		return &Function{Name: name, in: params("a:x+"), out: hashOf(name, kind), null: never, flags: ownNulls, Doc: doc, Example: example, cost: 15,
			kernel: func(*Call) kernel {
				return func(k *kctx, args []*column.Vector, out *column.Vector) {
					for i := 0; i < k.n; i++ {
						s := seed
						for _, a := range args {
							s = hashValue(h, a, i, s)
						}
						setInt(out, i, int64(s))
					}
				}
			}}
	}
	register("hash",
		seeded("hash", column.Int32, "Spark's 32-bit Murmur3 hash of the arguments.", "hash('Spark', array(123), 2) -> -1321691492", 42, murmur{}),
		seeded("xxhash64", column.Int64, "The 64-bit xxHash of the arguments, as Spark computes it.", "xxhash64('Spark', array(123), 2) -> 5602566077635097486", 42, xxhash{}),
	)
}

type hasher interface {
	word(v int32, seed uint64) uint64
	long(v int64, seed uint64) uint64
	bytes(b []byte, seed uint64) uint64
}

func hashValue(h hasher, v *column.Vector, i int, seed uint64) uint64 {
	if !v.IsValid(i) {
		return seed
	}
	i = constRow(v, i)
	switch v.Type.Kind {
	case column.Bool:
		return h.word(int32(boolInt(v.Bools[i])), seed)
	case column.Int8, column.Int16, column.Int32, column.Date, column.IntervalYM:
		return h.word(int32(intAt(v, i)), seed)
	case column.Int64, column.Timestamp, column.TimestampNTZ, column.IntervalDT:
		return h.long(v.I64[i], seed)
	case column.Time: // Spark hashes nanoseconds
		return h.long(v.I64[i]*1000, seed)
	case column.Calendar: // microseconds, then days, then months
		c := column.CalendarOf(v.Dec[i])
		return h.word(c.Months, h.word(c.Days, h.long(c.Micros, seed)))
	case column.Float32:
		f := v.F32[i]
		if f == 0 {
			f = 0 // -0.0 hashes as 0.0
		}
		return h.word(int32(math.Float32bits(f)), seed)
	case column.Float64:
		f := v.F64[i]
		if f == 0 {
			f = 0
		}
		return h.long(int64(math.Float64bits(f)), seed)
	case column.Decimal:
		if v.Type.Precision <= 18 {
			return h.long(int64(v.Dec[i].Lo), seed)
		}
		return h.bytes(bigBytes(v.Dec[i]), seed)
	case column.String, column.Binary:
		return h.bytes(v.Bytes(i), seed)
	case column.List, column.Map:
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			for _, kid := range v.Kids {
				seed = hashValue(h, kid, int(j), seed)
			}
		}
	case column.Struct:
		for _, kid := range v.Kids {
			seed = hashValue(h, kid, i, seed)
		}
	}
	return seed
}

// bigBytes is the shortest two's complement form, as Java's BigInteger.toByteArray has it.
func bigBytes(d column.Dec128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(d.Hi))
	binary.BigEndian.PutUint64(b[8:], d.Lo)
	s := b[:]
	for len(s) > 1 && (s[0] == 0 && s[1] < 0x80 || s[0] == 0xff && s[1] >= 0x80) {
		s = s[1:]
	}
	return s
}

// murmur is Murmur3_x86_32 with Spark's treatment of the last bytes: each is mixed as a word of its own.
type murmur struct{}

func mixK(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func mixH(h, k uint32) uint32 { return bits.RotateLeft32(h^mixK(k), 13)*5 + 0xe6546b64 }

func fmix(h, n uint32) uint64 {
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return uint64(int64(int32(h)))
}

func (murmur) word(v int32, seed uint64) uint64 { return fmix(mixH(uint32(seed), uint32(v)), 4) }

func (murmur) long(v int64, seed uint64) uint64 {
	return fmix(mixH(mixH(uint32(seed), uint32(v)), uint32(uint64(v)>>32)), 8)
}

func (murmur) bytes(b []byte, seed uint64) uint64 {
	h, n := uint32(seed), len(b)
	for ; len(b) >= 4; b = b[4:] {
		h = mixH(h, binary.LittleEndian.Uint32(b))
	}
	for _, c := range b {
		h = mixH(h, uint32(int32(int8(c))))
	}
	return fmix(h, uint32(n))
}

const (
	xxP1 = 0x9E3779B185EBCA87
	xxP2 = 0xC2B2AE3D27D4EB4F
	xxP3 = 0x165667B19E3779F9
	xxP4 = 0x85EBCA77C2B2AE63
	xxP5 = 0x27D4EB2F165667C5
)

type xxhash struct{}

func xxFinal(h uint64) uint64 {
	h ^= h >> 33
	h *= xxP2
	h ^= h >> 29
	h *= xxP3
	return h ^ h>>32
}

func (xxhash) word(v int32, seed uint64) uint64 {
	h := seed + xxP5 + 4
	h ^= uint64(uint32(v)) * xxP1
	return xxFinal(bits.RotateLeft64(h, 23)*xxP2 + xxP3)
}

func (xxhash) long(v int64, seed uint64) uint64 {
	h := seed + xxP5 + 8
	h ^= bits.RotateLeft64(uint64(v)*xxP2, 31) * xxP1
	return xxFinal(bits.RotateLeft64(h, 27)*xxP1 + xxP4)
}

func (xxhash) bytes(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	h := seed + xxP5
	if len(b) >= 32 {
		h, b = xxStripes(b, seed)
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(b)*xxP2, 31) * xxP1
		h = bits.RotateLeft64(h, 27)*xxP1 + xxP4
	}
	if len(b) >= 4 {
		h ^= uint64(binary.LittleEndian.Uint32(b)) * xxP1
		h = bits.RotateLeft64(h, 23)*xxP2 + xxP3
		b = b[4:]
	}
	for _, c := range b {
		h ^= uint64(c) * xxP5
		h = bits.RotateLeft64(h, 11) * xxP1
	}
	return xxFinal(h)
}

func xxStripes(b []byte, seed uint64) (uint64, []byte) {
	p1, p2 := uint64(xxP1), uint64(xxP2)
	v := [4]uint64{seed + p1 + p2, seed + p2, seed, seed - p1}
	for ; len(b) >= 32; b = b[32:] {
		for i := range v {
			v[i] = bits.RotateLeft64(v[i]+binary.LittleEndian.Uint64(b[8*i:])*p2, 31) * p1
		}
	}
	h := bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
	for i := range v {
		h ^= bits.RotateLeft64(v[i]*p2, 31) * p1
		h = h*p1 + xxP4
	}
	return h, b
}
