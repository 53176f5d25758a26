package record

import (
	"encoding/binary"
	"fmt"
)

// DeleteHorizon is when a batch's tombstones, or its control marker, may be dropped (KIP-534): milliseconds, in the place of
// the base timestamp.
func (b Batch) DeleteHorizon() (ms int64, ok bool) {
	if b.Attributes()&AttrDeleteHorizon == 0 {
		return 0, false
	}
	return b.BaseTimestamp(), true
}

// NoHorizon as Filter's horizon leaves the batch's own.
const NoHorizon = int64(-1)

// Filter appends b with the records that keep says yes to, compressed as it was. What stays keeps its offset, its timestamp
// and its bytes, and the batch its offsets, producer and leader epoch. With a horizon the batch is given that one. A batch of
// which all records go is as Empty makes it.
func Filter(dst []byte, b Batch, horizonMs int64, keep func(i int, r *Record) bool) ([]byte, error) {
	f := filter{batch: b, horizon: horizonMs, maxTS: b.MaxTimestamp()}
	if err := f.collect(keep); err != nil {
		return dst, err
	}
	if f.count == 0 {
		return Empty(dst, b), nil
	}
	return f.append(dst)
}

// Empty appends the header of b alone: a batch of no records that keeps b's offsets, producer and leader epoch.
func Empty(dst []byte, b Batch) []byte {
	start := len(dst)
	dst = append(dst, b[:HeaderSize]...)
	out := Batch(dst[start:])
	binary.BigEndian.PutUint32(out[posLength:], HeaderSize-prefixSize)
	out.setAttributes(b.Attributes() &^ (attrCodec | AttrDeleteHorizon | AttrArrow))
	binary.BigEndian.PutUint32(out[posCount:], 0)
	out.Seal()
	return dst
}

// Filler appends a batch of no records and no producer that keeps the offsets from base to last.
func Filler(dst []byte, base, last int64, leaderEpoch int32) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	b := Batch(dst[start:])
	seal(b, Meta{BaseTimestamp: -1, MaxTimestamp: -1, Producer: NoProducer})
	b.SetBaseOffset(base)
	b.SetLeaderEpoch(leaderEpoch)
	binary.BigEndian.PutUint32(b[posLastOffsetDelta:], uint32(last-base))
	b.Seal()
	return dst
}

// filter is one batch at work.
type filter struct {
	batch   Batch
	horizon int64
	body    []byte
	count   int
	maxTS   int64
}

// collect copies the records that stay.
func (f *filter) collect(keep func(i int, r *Record) bool) error {
	it := f.batch.Records()
	fixed := f.batch.Attributes().IsLogAppendTime()
	for i := 0; ; i++ {
		before := it.rest
		if !it.Next() {
			break
		}
		raw := before[:len(before)-len(it.rest)]
		if !keep(i, &it.Record) {
			continue
		}
		if f.count++; f.count == 1 && !fixed {
			f.maxTS = it.Timestamp
		}
		if !fixed {
			f.maxTS = max(f.maxTS, it.Timestamp)
		}
		if f.horizon == NoHorizon || fixed { // with log-append time nobody reads the deltas
			f.body = append(f.body, raw...)
			continue
		}
		if err := f.rebase(raw, it.Timestamp); err != nil {
			return err
		}
	}
	return it.Err()
}

// rebase copies a record whose timestamp counts from the horizon now.
func (f *filter) rebase(raw []byte, timestamp int64) error {
	_, w := binary.Varint(raw) // the iterator has read both: they are sound
	_, d := binary.Varint(raw[w+1:])
	if w <= 0 || d <= 0 {
		return fmt.Errorf("%w: record in the batch at offset %d", ErrCorrupt, f.batch.BaseOffset())
	}
	attr, rest := raw[w], raw[w+1+d:]
	delta := timestamp - f.horizon
	f.body = binary.AppendVarint(f.body, int64(1+varintSize(delta)+len(rest)))
	f.body = append(f.body, attr)
	f.body = binary.AppendVarint(f.body, delta)
	f.body = append(f.body, rest...)
	return nil
}

// append writes the header and the records.
func (f *filter) append(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, f.batch[:HeaderSize]...)
	dst, err := compress(f.batch.Attributes().Codec(), dst, f.body)
	if err != nil {
		return dst[:start], err
	}
	out := Batch(dst[start:])
	binary.BigEndian.PutUint32(out[posLength:], uint32(len(out)-prefixSize))
	binary.BigEndian.PutUint32(out[posCount:], uint32(f.count))
	out.setMaxTimestamp(f.maxTS)
	if f.horizon != NoHorizon {
		out.setAttributes(out.Attributes() | AttrDeleteHorizon)
		binary.BigEndian.PutUint64(out[posBaseTimestamp:], uint64(f.horizon))
	}
	out.Seal()
	return dst, nil
}
