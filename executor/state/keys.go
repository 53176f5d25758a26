package state

import (
	"encoding/binary"
	"errors"

	"github.com/streamflow/streamflow/rdd"
)

// Keys in Pebble. Rows of an operator lie together by bucket, and in a bucket by key group, so that a partition's share of
// a bucket is one range whatever the number of partitions:
//
//	'd' query op bucket keygroup key   ─▶ value       'm' query op partition partitions ─▶ snapshot record
//
// query and op are preceded by their lengths; numbers are big endian, bucket with its sign bit turned over.
const (
	rowKey  = 'd'
	metaKey = 'm'
)

func appendName(b []byte, kind byte, slot Slot) []byte {
	b = append(b, kind)
	for _, s := range []string{slot.Query, slot.Op} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return b
}

func appendBucket(b []byte, bucket int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(bucket)^1<<63)
}

// queryPrefix is what all keys of a query begin with, for one kind.
func queryPrefix(kind byte, query string) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(query)))
	return append(b, query...)
}

// metaKey is the key of the partition's snapshot record.
func (p *Partition) metaKey() []byte {
	return binary.BigEndian.AppendUint16(p.oldMetaKey(), uint16(p.slot.Parts))
}

// oldMetaKey is the key that it once had, when a query's number of partitions could not change.
func (p *Partition) oldMetaKey() []byte {
	return binary.BigEndian.AppendUint16(appendName(nil, metaKey, p.slot), uint16(p.slot.Partition))
}

func (p *Partition) prefix() []byte { return appendName(p.buf[:0], rowKey, p.slot) }

// appendRow is the key of a row.
func (p *Partition) appendRow(bucket int64, keyGroup uint16, key []byte) []byte {
	b := appendBucket(p.prefix(), bucket)
	b = binary.BigEndian.AppendUint16(b, keyGroup)
	p.buf = append(b, key...)
	return p.buf
}

// groups are the key groups [from, to) that the partition owns.
func (s Slot) groups() (from, to int) {
	up := func(p int) int { return (p*rdd.KeyGroups + s.Parts - 1) / s.Parts }
	return up(s.Partition), up(s.Partition + 1)
}

// bounds are the keys between which the partition's share of a bucket lies.
func (p *Partition) bounds(bucket int64) (from, to []byte) {
	lo, hi := p.slot.groups()
	base := appendBucket(appendName(nil, rowKey, p.slot), bucket)
	from = binary.BigEndian.AppendUint16(base[:len(base):len(base)], uint16(lo))
	to = binary.BigEndian.AppendUint16(base[:len(base):len(base)], uint16(hi))
	return from, to
}

var errKey = errors.New("state: damaged key in the store")

// splitRow takes apart the key of a row behind its prefix.
func splitRow(k []byte, prefix int) (bucket int64, keyGroup int, key []byte, err error) {
	if len(k) < prefix+10 {
		return 0, 0, nil, errKey
	}
	k = k[prefix:]
	return int64(binary.BigEndian.Uint64(k) ^ 1<<63), int(binary.BigEndian.Uint16(k[8:])), k[10:], nil
}

// prefixEnd is the first key after all that begin with prefix.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
