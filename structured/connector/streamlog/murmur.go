package streamlog

import "encoding/binary"

// partitionFor is the partition of a keyed record among n, as Kafka's default partitioner chooses it.
func partitionFor(key []byte, n int) int32 { return int32(murmur2(key)&0x7fffffff) % int32(n) }

// murmur2 is the 32-bit MurmurHash2 of a key with the seed that Kafka's clients use.
func murmur2(b []byte) uint32 {
	const m, seed = 0x5bd1e995, 0x9747b28c
	h := uint32(seed) ^ uint32(len(b))
	for len(b) >= 4 {
		k := binary.LittleEndian.Uint32(b) * m
		k ^= k >> 24
		h = h*m ^ k*m
		b = b[4:]
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(b[0])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}
