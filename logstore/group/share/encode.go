package share

import (
	"encoding/binary"
	"errors"
	"math"
)

// A kept partition is
//
//	version 1 │ start, varint │ count of spans, uvarint │ for each span: length, uvarint │ done and deliveries, uvarint
//
// where the last is 0 for records that are done, else one more than how often they were delivered. Who has a record is not kept.
const version = 1

var errState = errors.New("share: state of a partition does not decode")

// Encode returns what is to be kept.
func (p *Partition) Encode() []byte {
	b := binary.AppendVarint([]byte{version}, p.start)
	spans := p.kept()
	b = binary.AppendUvarint(b, uint64(len(spans)))
	for _, s := range spans {
		b = binary.AppendUvarint(b, uint64(s.last-s.first+1))
		if s.state == Done {
			b = append(b, 0)
		} else {
			b = binary.AppendUvarint(b, uint64(s.count)+1)
		}
	}
	p.dirty = false
	return b
}

// Dirty is whether what is to be kept has changed since Encode.
func (p *Partition) Dirty() bool { return p.dirty }

// kept are the spans as another node will find them.
func (p *Partition) kept() []span {
	var out []span
	for _, s := range p.spans {
		if s.state == Acquired {
			s = span{first: s.first, last: s.last, state: Available, count: s.count}
		}
		if n := len(out); n > 0 && alike(out[n-1], s) {
			out[n-1].last = s.last
			continue
		}
		out = append(out, s)
	}
	return out
}

// Decode makes a partition of what was kept.
func Decode(b []byte, l Limits) (*Partition, error) {
	if len(b) == 0 || b[0] != version {
		return nil, errState
	}
	b = b[1:]
	start, n := binary.Varint(b)
	if n <= 0 || start < 0 {
		return nil, errState
	}
	b = b[n:]
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, errState
	}
	b = b[n:]
	p := &Partition{limits: l.withDefaults(), start: start}
	for next := start; count > 0; count-- {
		length, n := binary.Uvarint(b)
		if n <= 0 || length == 0 || length > math.MaxInt64/2 || next > math.MaxInt64/2-int64(length) {
			return nil, errState
		}
		b = b[n:]
		how, n := binary.Uvarint(b)
		if n <= 0 || how > math.MaxInt16 {
			return nil, errState
		}
		b = b[n:]
		s := span{first: next, last: next + int64(length) - 1, state: Done}
		if how > 0 {
			s.state, s.count = Available, int16(how-1)
		}
		p.spans = append(p.spans, s)
		next = s.last + 1
	}
	if len(b) > 0 {
		return nil, errState
	}
	p.tidy()
	p.dirty = false
	return p, nil
}
