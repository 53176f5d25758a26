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

// hashesOf are the hashes of a fixed dictionary's entries, as Hash gives them. nil means that hashing n rows one by one costs less
// than hashing the dictionary.
func (d *fixedDict) hashesOf(dict *Vector, n int) []uint64 {
	if !d.done.Load() && dict.N > dictShare*n {
		return nil
	}
	d.once.Do(func() {
		d.hashes = make([]uint64, dict.N)
		hashColumn(d.hashes, dict, dict.N)
		d.done.Store(true)
	})
	return d.hashes
}

// dictShare is how many times a batch's rows a dictionary may have entries, so that its entries are hashed once rather than the
// rows: several batches refer to it.
const dictShare = 8
