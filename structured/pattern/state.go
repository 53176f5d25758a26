package pattern

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// stateVersion is the first byte of a machine's state.
const stateVersion = 1

// Flags of a machine and of an attempt.
const (
	flagBegun   = 1 << 0
	flagBest    = 1 << 0
	flagExpired = 1 << 1
)

// Fingerprint tells searches apart whose states do not fit each other.
func (c *Config) Fingerprint() uint32 {
	text := fmt.Sprintf("%s%d %v %d %v", c.Prog, c.Skip, c.To, c.Within, c.All)
	return crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli))
}

// AppendState appends what a machine knows, with its rows counted from the row base; see docs/format/pattern-state.md.
func (s *Search) AppendState(dst []byte, m *Machine, base int32) []byte {
	dst = append(dst, stateVersion)
	dst = binary.BigEndian.AppendUint32(dst, s.Fingerprint())
	flags := byte(0)
	if m.Begun {
		flags |= flagBegun
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(m.Matches))
	dst = binary.AppendUvarint(dst, uint64(len(m.attempts)))
	var scratch []int32
	for i := range m.attempts {
		a := &m.attempts[i]
		flags = 0
		if a.best != None {
			flags |= flagBest
		}
		if a.expired != None {
			flags |= flagExpired
		}
		dst = append(dst, flags)
		dst = binary.AppendUvarint(dst, uint64(a.start-base))
		for _, p := range []int32{a.best, a.expired} {
			if p != None {
				dst, scratch = s.appendPath(dst, p, scratch)
			}
		}
		dst = binary.AppendUvarint(dst, uint64(len(a.threads)))
		for _, t := range a.threads {
			dst, scratch = s.appendPath(dst, t.path, scratch)
		}
	}
	return dst
}

func (s *Search) appendPath(dst []byte, path int32, scratch []int32) ([]byte, []int32) {
	scratch = s.Paths.Nodes(scratch[:0], path)
	dst = binary.AppendUvarint(dst, uint64(len(scratch)))
	for _, n := range scratch {
		dst = binary.AppendUvarint(dst, uint64(s.Paths.Position(n)))
	}
	return dst, scratch
}

var errState = errors.New("pattern: a stored search is damaged")

// ErrOtherPattern is returned for a state that a search for something else has left.
var ErrOtherPattern = errors.New("pattern: the state was written by another pattern")

// RestoreState reads a state into a machine whose rows from From to Next are those that it had, and returns what follows
// the state. Damaged states are errors.
func (s *Search) RestoreState(m *Machine, b []byte) (rest []byte, err error) {
	if len(b) < 6 {
		return nil, errState
	}
	if b[0] != stateVersion {
		return nil, fmt.Errorf("pattern: version %d of a stored search is not known", b[0])
	}
	if binary.BigEndian.Uint32(b[1:]) != s.Fingerprint() {
		return nil, ErrOtherPattern
	}
	d := &stateReader{s: s, m: m, b: b[6:]}
	m.Begun = b[5]&flagBegun != 0
	m.Matches = int64(d.number(1 << 62))
	m.attempts = m.attempts[:0]
	for n := d.number(uint64(len(d.b))); n > 0 && !d.bad; n-- {
		m.attempts = append(m.attempts, d.attempt())
	}
	if d.bad {
		return nil, errState
	}
	return d.b, nil
}

type stateReader struct {
	s   *Search
	m   *Machine
	b   []byte
	bad bool
}

// number reads a number of at most most.
func (d *stateReader) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > most {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *stateReader) attempt() attempt {
	a := attempt{best: None, expired: None}
	if len(d.b) == 0 {
		d.bad = true
		return a
	}
	flags := d.b[0]
	d.b = d.b[1:]
	have := d.m.Next - d.m.From
	a.start = d.m.From + int32(d.number(uint64(max(have, 1)-1)))
	if have == 0 {
		d.bad = true
		return a
	}
	if flags&flagBest != 0 {
		a.best = d.path(a.start)
	}
	if flags&flagExpired != 0 {
		a.expired = d.path(a.start)
	}
	for n := d.number(uint64(len(d.b))); n > 0 && !d.bad; n-- {
		a.threads = append(a.threads, thread{d.path(a.start)})
	}
	return a
}

// path reads the positions of the rows from start on.
func (d *stateReader) path(start int32) int32 {
	n := d.number(uint64(d.m.Next - start))
	if n == 0 {
		d.bad = true
	}
	path := None
	for i := int32(0); i < int32(n) && !d.bad; i++ {
		pos := d.number(uint64(len(d.s.Prog.Positions) - 1))
		path = d.s.Paths.add(d.s.Prog, path, start+i, int32(pos), 0)
	}
	return path
}
