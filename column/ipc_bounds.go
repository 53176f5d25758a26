package column

import (
	"encoding/binary"
	"errors"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

var errFrames = errors.New("column: the messages of the Arrow stream do not fit its length")

// checkFrames walks the messages of a stream and refuses lengths that reach past its end: the library allocates what a
// message declares before it looks for the bytes.
func checkFrames(data []byte) error {
	for len(data) >= 4 {
		size := binary.LittleEndian.Uint32(data)
		data = data[4:]
		if size == 0xFFFFFFFF {
			if len(data) < 4 {
				return errFrames
			}
			size, data = binary.LittleEndian.Uint32(data), data[4:]
		}
		if size == 0 {
			return nil
		}
		if int64(size) > int64(len(data)) {
			return errFrames
		}
		fb := flat{b: data[:size]}
		body := fb.checkMessage()
		data = data[size:]
		if fb.bad || body < 0 || body > int64(len(data)) {
			return errFrames
		}
		data = data[body:]
	}
	return nil
}

// headerSchema is the kind of the message that begins a stream.
const headerSchema = 1

// checkMessage looks through the lengths that a message's metadata declares and returns that of its body.
func (f *flat) checkMessage() int64 {
	msg := f.table(f.ref(0))
	body := f.i64(f.field(msg, 3))
	switch f.u8(f.field(msg, 1)) {
	case headerSchema:
		budget := len(f.b)
		f.checkFields(f.table(f.ref(f.field(msg, 2))), 1, &budget)
	case headerRecordBatch:
		// Rows of a column without buffers cost nothing to declare and much to make.
		batch := f.table(f.ref(f.field(msg, 2)))
		most := 8 * unfold * (body + int64(len(f.b)))
		f.checkRows(f.i64(f.field(batch, 0)), most)
		if pos := f.field(batch, 1); pos >= 0 {
			nodes := f.vector(pos, 16)
			for i := range nodes.n {
				f.checkRows(nodes.word(2*i), most)
			}
		}
	}
	return body
}

func (f *flat) checkRows(rows, most int64) {
	if rows < 0 || rows > most {
		f.bad = true
	}
}

// checkFields looks through a schema's or field's members, in the vector at slot, and their key-value metadata in the one
// after it. The references of a flatbuffer only go forward, but many may go to one place, so that the visits are counted.
func (f *flat) checkFields(t flatTable, slot int, budget *int) {
	const children = 5
	if pos := f.field(t, slot); pos >= 0 {
		at := f.ref(pos)
		for i := range f.vector(pos, 4).n {
			if *budget--; *budget < 0 {
				f.bad = true
			}
			if f.bad {
				return
			}
			f.checkFields(f.table(f.ref(at+4+4*i)), children, budget)
		}
	}
	if pos := f.field(t, slot+1); pos >= 0 {
		f.vector(pos, 4)
	}
}

// boundedAllocator refuses, by a panic that the reader recovers, to allocate more than bytes that came can need. A
// buffer that is compressed may be larger than what came, though not without end.
type boundedAllocator struct {
	memory.Allocator
	left int64
}

// unfold is how much larger than its stream the content may be.
const unfold = 256

func newBoundedAllocator(stream int) *boundedAllocator {
	return &boundedAllocator{memory.NewGoAllocator(), int64(stream)*unfold + 1<<20}
}

func (a *boundedAllocator) take(n int) {
	if a.left -= int64(n); a.left < 0 {
		panic(errFrames)
	}
}

func (a *boundedAllocator) Allocate(n int) []byte {
	a.take(n)
	return a.Allocator.Allocate(n)
}

func (a *boundedAllocator) Reallocate(n int, b []byte) []byte {
	a.take(max(n-len(b), 0))
	return a.Allocator.Reallocate(n, b)
}
