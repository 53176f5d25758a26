package process

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Entry is all that is kept of one key: its states and timers. docs/format/process-state.md draws it.
type Entry struct {
	slots  []*slot
	cells  []cell
	timers [2][]int64 // by kind, ascending
	now    int64      // the moment: event time, or processing time where there is no other
	wall   int64      // processing time
	emit   func(name string, value []byte) error
}

const entryVersion = 1

// Never is the time of nothing.
const Never = math.MinInt64

func (e *Entry) reset(slots []*slot) {
	e.slots = slots
	if len(e.cells) != len(slots) {
		e.cells = make([]cell, len(slots))
	}
	clear(e.cells)
	e.timers[0], e.timers[1] = e.timers[0][:0], e.timers[1][:0]
}

// live is a state, forgotten first if its time has come.
func (e *Entry) live(i int) *cell {
	c := &e.cells[i]
	if t := e.slots[i].ttl; t > 0 && c.changed != Never && (c.raw != nil || c.value != nil) && e.now >= later(c.changed, t) {
		*c = cell{dirty: true}
	}
	return c
}

// moment says what time it is for a row or timer. States that were filled before there was a time count theirs from here.
func (e *Entry) moment(now int64) {
	e.now = now
	for i := range e.cells {
		if e.cells[i].changed == Never {
			e.cells[i].changed = now
		}
	}
}

func later(at, by int64) int64 {
	if at > math.MaxInt64-by {
		return math.MaxInt64
	}
	return at + by
}

func (e *Entry) setTimer(kind TimerKind, at int64)  { e.timers[kind] = insert(e.timers[kind], at) }
func (e *Entry) dropTimer(kind TimerKind, at int64) { e.timers[kind] = remove(e.timers[kind], at) }

func (e *Entry) side(name string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("process: side output %s: %w", name, err)
	}
	return e.emit(name, b)
}

// At says what time it is.
func (e *Entry) At(now int64) { e.now = now }

// Next is the earliest timer of a kind, Never when there is none.
func (e *Entry) Next(kind TimerKind) int64 {
	if len(e.timers[kind]) == 0 {
		return Never
	}
	return e.timers[kind][0]
}

// Expiry is the earliest time at which a state is forgotten, Never when none is.
func (e *Entry) Expiry() int64 {
	at := int64(Never)
	for i := range e.cells {
		c := &e.cells[i]
		if t := e.slots[i].ttl; t > 0 && c.changed != Never && (c.raw != nil || c.value != nil) {
			if x := later(c.changed, t); at == Never || x < at {
				at = x
			}
		}
	}
	return at
}

// Empty reports whether there is nothing to keep.
func (e *Entry) Empty() bool {
	for i := range e.cells {
		if c := e.live(i); c.raw != nil || c.value != nil {
			return false
		}
	}
	return len(e.timers[0]) == 0 && len(e.timers[1]) == 0
}

// Append appends the entry.
func (e *Entry) Append(dst []byte) ([]byte, error) {
	dst = append(dst, entryVersion)
	for _, list := range e.timers {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, t := range list {
			dst = binary.BigEndian.AppendUint64(dst, uint64(t))
		}
	}
	n := 0
	for i := range e.cells {
		if c := e.live(i); c.raw != nil || c.value != nil {
			n++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for i := range e.cells {
		c := &e.cells[i]
		if c.raw == nil && c.value == nil {
			continue
		}
		if c.dirty || c.raw == nil {
			raw, err := json.Marshal(c.value)
			if err != nil {
				return nil, fmt.Errorf("process: state %s: %w", e.slots[i].name, err)
			}
			c.raw, c.dirty = raw, false
		}
		dst = appendBytes(dst, []byte(e.slots[i].name))
		dst = binary.BigEndian.AppendUint64(dst, uint64(c.changed))
		dst = appendBytes(dst, c.raw)
	}
	return dst, nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

var errEntry = errors.New("process: a stored key is damaged")

// read takes up a stored entry. States that are no longer declared are left out.
func (e *Entry) read(b []byte) error {
	d := entryReader{b: b}
	if v := d.take(1); d.bad || v[0] != entryVersion {
		if d.bad {
			return errEntry
		}
		return fmt.Errorf("process: version %d of a stored key is not known to this release", v[0])
	}
	for k := range e.timers {
		for n := d.count(8); n > 0 && !d.bad; n-- {
			e.timers[k] = append(e.timers[k], d.time())
		}
	}
	for n := d.count(10); n > 0 && !d.bad; n-- {
		name := string(d.take(d.count(1)))
		c := cell{changed: d.time()}
		c.raw = append([]byte{}, d.take(d.count(1))...)
		for i, s := range e.slots {
			if s.name == name && !d.bad {
				e.cells[i] = c
			}
		}
	}
	if d.bad || len(d.b) > 0 {
		return errEntry
	}
	return nil
}

// entryReader reads an entry; bad says that it ended too early.
type entryReader struct {
	b   []byte
	bad bool
}

// count reads how many things of a size at least follow.
func (d *entryReader) count(size int) int {
	n, k := binary.Uvarint(d.b)
	if k <= 0 || n > uint64(len(d.b)/size) {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[k:]
	return int(n)
}

func (d *entryReader) take(n int) []byte {
	if n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *entryReader) time() int64 {
	b := d.take(8)
	if d.bad {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}
