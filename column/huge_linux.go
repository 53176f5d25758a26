package column

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge marks the whole huge pages inside b. It is advice: a failure changes nothing but speed.
func adviseHuge(b []byte) {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	skip := int((start+hugePage-1)&^(hugePage-1) - start)
	if n := (len(b) - skip) &^ (hugePage - 1); n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_HUGEPAGE)
	}
}
