package column

import (
	"sync"
	"sync/atomic"
)

// fixedDict is what is found out about a dictionary that stays as it is while many batches refer to it.
type fixedDict struct {
	once   sync.Once
	done   atomic.Bool
	hashes []uint64
}

// FixDict marks v, a column of strings, as a dictionary whose content never changes from here on, wherever a column refers to
// it. What is computed from its entries is then kept from one batch to the next: their hashes, and the groups of their codes.
func FixDict(v *Vector) { v.fixed = &fixedDict{} }

// IsFixedDict reports whether FixDict marked v.
func IsFixedDict(v *Vector) bool { return v.fixed != nil }

// hashesOf are the hashes of a fixed dictionary's entries, as Hash gives them. nil means that hashing n rows one by one costs less
// than hashing the dictionary.
func (d *fixedDict) hashesOf(dict *Vector, n int) []uint64 {
	if !d.done.Load() && dict.N > DictShare*n {
		return nil
	}
	d.once.Do(func() {
		d.hashes = make([]uint64, dict.N)
		hashColumn(d.hashes, dict, dict.N)
		d.done.Store(true)
	})
	return d.hashes
}

// DictShare is how many times the rows of a batch a fixed dictionary may have entries for which it pays to work on the entries, once,
// rather than on the rows: several batches refer to it.
const DictShare = 8
