package column

import "unsafe"

const hugePage = 2 << 20

// hugeSlice is make([]T, n) that asks for huge pages when the slice spans several of them. Fresh 4 KiB pages cost
// microseconds each on virtual machines, which would dominate the building of large tables. T holds no pointers.
func hugeSlice[T any](n int) []T {
	s := make([]T, n)
	if size := n * int(unsafe.Sizeof(*new(T))); size >= 2*hugePage {
		adviseHuge(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), size))
	}
	return s
}

// grown is s with room for n more. It doubles, unlike append, whose slices grow by a quarter when they are large: tables that
// grow to an unknown size would be copied five times.
func grown(s []uint64, n int) []uint64 {
	if len(s)+n <= cap(s) {
		return s
	}
	return append(hugeSlice[uint64](max(2*cap(s), len(s)+n, 64))[:0], s...)
}
