package state

import (
	"encoding/binary"

	"github.com/streamflow/streamflow/rdd"
)

// Expiring is keyed state whose entries are dropped when they have not changed for a time: a TTL. Time is that of the batch
// (processing time), so it stands still while a batch runs, and what has expired is gone before the operator looks.
//
// Each value is preceded by the slot in which it expires, little endian microseconds. Slots are a sixteenth of the TTL long;
// an entry lives for the TTL and at the most one slot more. A second state, the index, has for each slot the entries that
// may end in it, so that nothing is searched for:
//
//	main    (bucket, key group, key)                    ─▶ slot64 value
//	index   (slot, key group, bucket64 key)             ─▶ empty
//
// An entry that was changed later is in the index more than once; only the slot in its value counts.
type Expiring struct {
	main, index *Partition
	slot        int64 // in which what is written now expires
	key, value  []byte
}

var _ rdd.State = (*Expiring)(nil)

// IndexOp is the operator id under which the index of an operator's TTL is kept.
func IndexOp(op string) string { return op + "#ttl" }

// slotHead is the length of the slot before a value.
const slotHead = 8

// NewExpiring opens state over both partitions in a batch at time now, drops what has expired, and tells how many entries
// that were. ttl and now are microseconds.
func NewExpiring(main, index *Partition, ttl, now int64) (s *Expiring, expired int64, err error) {
	s = &Expiring{main: main, index: index, slot: slotAt(now+ttl, ttl)}
	slots, err := index.Buckets(now)
	if err != nil {
		return nil, 0, err
	}
	for _, slot := range slots {
		n, err := s.expire(slot)
		if err != nil {
			return nil, 0, err
		}
		expired += n
	}
	return s, expired, nil
}

// slotAt is the end of the slot that holds t.
func slotAt(t, ttl int64) int64 {
	grain := max(ttl/16, 1000)
	return (t + grain - 1) / grain * grain
}

// expire deletes the entries that end in a slot.
func (s *Expiring) expire(slot int64) (n int64, err error) {
	var failed error
	err = s.index.Scan(slot, func(keyGroup int, key, _ []byte) bool {
		if len(key) < 8 {
			failed = errKey
			return false
		}
		bucket, key := int64(binary.BigEndian.Uint64(key)^1<<63), key[8:]
		at, ok, err := s.slotOf(bucket, keyGroup, key)
		if err == nil && ok && at == slot {
			err = s.main.Delete(bucket, keyGroup, key)
			n++
		}
		failed = err
		return err == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = s.index.DropBucket(slot)
	}
	return n, err
}

// slotOf is the slot in which an entry expires.
func (s *Expiring) slotOf(bucket int64, keyGroup int, key []byte) (int64, bool, error) {
	v, ok, err := s.main.Get(bucket, keyGroup, key)
	if err != nil || !ok {
		return 0, false, err
	}
	if len(v) < slotHead {
		return 0, false, errKey
	}
	return int64(binary.LittleEndian.Uint64(v)), true, nil
}

// Get returns the value of a key; see rdd.State.
func (s *Expiring) Get(bucket int64, keyGroup int, key []byte) ([]byte, bool, error) {
	v, ok, err := s.main.Get(bucket, keyGroup, key)
	if err != nil || !ok {
		return nil, false, err
	}
	if len(v) < slotHead {
		return nil, false, errKey
	}
	return v[slotHead:], true, nil
}

// Put sets the value of a key, which lives for the TTL from now.
func (s *Expiring) Put(bucket int64, keyGroup int, key, value []byte) error {
	old, ok, err := s.slotOf(bucket, keyGroup, key)
	if err != nil {
		return err
	}
	s.value = append(binary.LittleEndian.AppendUint64(s.value[:0], uint64(s.slot)), value...)
	if err := s.main.Put(bucket, keyGroup, key, s.value); err != nil || ok && old == s.slot {
		return err
	}
	s.key = append(appendBucket(s.key[:0], bucket), key...)
	return s.index.Put(s.slot, keyGroup, s.key, nil)
}

// Delete removes a key.
func (s *Expiring) Delete(bucket int64, keyGroup int, key []byte) error {
	return s.main.Delete(bucket, keyGroup, key)
}

// Buckets returns the buckets <= upTo that hold anything, ascending.
func (s *Expiring) Buckets(upTo int64) ([]int64, error) { return s.main.Buckets(upTo) }

// Scan visits the pairs of a bucket in order.
func (s *Expiring) Scan(bucket int64, visit func(keyGroup int, key, value []byte) bool) error {
	var failed error
	err := s.main.Scan(bucket, func(keyGroup int, key, value []byte) bool {
		if len(value) < slotHead {
			failed = errKey
			return false
		}
		return visit(keyGroup, key, value[slotHead:])
	})
	if err == nil {
		err = failed
	}
	return err
}

// DropBucket removes a bucket and all it holds.
func (s *Expiring) DropBucket(bucket int64) error { return s.main.DropBucket(bucket) }
