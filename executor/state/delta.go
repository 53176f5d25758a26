package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A delta piece: version byte, state version, operations, checksum. docs/format/state.md draws it.
const (
	deltaVersion = 1
	deltaHead    = 1 + 8
	pieceSize    = 512 << 10

	opBucket = 1 // the operations that follow are in this bucket
	opPut    = 2
	opDelete = 3
	opDrop   = 4 // drop the bucket
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Delta returns the changes of the open batch, in pieces of about half a MiB, each complete in itself. Applying the pieces
// of all versions in order rebuilds the state. There are none when nothing changed.
func (p *Partition) Delta() ([][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := deltaWriter{version: p.version + 1, room: p.deltaRoom}
	for _, t := range p.dropped {
		w.drop(t.bucket)
	}
	for i := range p.undo {
		u := &p.undo[i]
		if p.tables[u.t.bucket] != u.t {
			continue // dropped later in the batch
		}
		switch isDead := u.t.ents[u.n].flags&dead != 0; {
		case !isDead:
			w.put(u.t, int(u.n))
		case !u.inserted:
			w.remove(u.t, int(u.n))
		}
	}
	pieces := w.finish()
	if len(pieces) > 0 {
		p.deltaRoom = len(pieces[0]) + len(pieces[0])/8 // the next batch is likely to be of this size
	}
	return pieces, nil
}

type deltaWriter struct {
	version int64
	pieces  [][]byte
	buf     []byte
	room    int   // capacity of a new piece
	bucket  int64 // of the last opBucket in this piece
	inside  bool  // there was one
}

func (w *deltaWriter) start() {
	if len(w.buf) >= pieceSize {
		w.seal()
	}
	if len(w.buf) == 0 {
		w.buf = append(make([]byte, 0, w.room), deltaVersion)
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(w.version))
		w.inside = false
	}
}

func (w *deltaWriter) seal() {
	w.pieces = append(w.pieces, binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf, castagnoli)))
	w.buf = nil
}

func (w *deltaWriter) finish() [][]byte {
	if len(w.buf) > 0 {
		w.seal()
	}
	return w.pieces
}

func (w *deltaWriter) drop(bucket int64) {
	w.start()
	w.buf = binary.AppendVarint(append(w.buf, opDrop), bucket)
}

func (w *deltaWriter) key(op byte, t *table, n int) {
	w.start()
	if !w.inside || w.bucket != t.bucket {
		w.buf = binary.AppendVarint(append(w.buf, opBucket), t.bucket)
		w.inside, w.bucket = true, t.bucket
	}
	w.buf = binary.AppendUvarint(append(w.buf, op), uint64(t.ents[n].keyGroup))
	w.bytes(t.key(n))
}

func (w *deltaWriter) put(t *table, n int) {
	w.key(opPut, t, n)
	w.bytes(t.value(n))
}

func (w *deltaWriter) remove(t *table, n int) { w.key(opDelete, t, n) }

func (w *deltaWriter) bytes(b []byte) {
	w.buf = append(binary.AppendUvarint(w.buf, uint64(len(b))), b...)
}

var errDelta = errors.New("state: damaged delta")

// DeltaVersion returns the state version that a piece leads to.
func DeltaVersion(piece []byte) (int64, error) {
	if len(piece) < deltaHead+4 {
		return 0, fmt.Errorf("%w: %d bytes", errDelta, len(piece))
	}
	if piece[0] != deltaVersion {
		return 0, fmt.Errorf("%w: format version %d", errDelta, piece[0])
	}
	body := piece[:len(piece)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(piece[len(body):]) {
		return 0, fmt.Errorf("%w: checksum mismatch", errDelta)
	}
	return int64(binary.LittleEndian.Uint64(piece[1:])), nil
}

// target is what a delta is applied to.
type target interface {
	Put(bucket int64, keyGroup int, key, value []byte) error
	Delete(bucket int64, keyGroup int, key []byte) error
	DropBucket(bucket int64) error
}

// applyDelta carries out the operations of a checked piece.
func applyDelta(piece []byte, to target) error {
	r := deltaReader{b: piece[deltaHead : len(piece)-4]}
	var bucket int64
	for len(r.b) > 0 && r.err == nil {
		op := r.b[0]
		r.b = r.b[1:]
		var err error
		switch op {
		case opBucket:
			bucket = r.varint()
		case opDrop:
			if b := r.varint(); r.err == nil {
				err = to.DropBucket(b)
			}
		case opPut:
			kg, key, value := r.group(), r.bytes(), r.bytes()
			if r.err == nil {
				err = to.Put(bucket, kg, key, value)
			}
		case opDelete:
			kg, key := r.group(), r.bytes()
			if r.err == nil {
				err = to.Delete(bucket, kg, key)
			}
		default:
			return fmt.Errorf("%w: operation %d", errDelta, op)
		}
		if err != nil {
			return err
		}
	}
	return r.err
}

// deltaReader reads values until one is not whole; err stays set then.
type deltaReader struct {
	b   []byte
	err error
}

func (r *deltaReader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		r.err = errDelta
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *deltaReader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.err = errDelta
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *deltaReader) group() int {
	n := r.uvarint()
	if n > 0xffff {
		r.err = errDelta
		return 0
	}
	return int(n)
}

func (r *deltaReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.err, r.b = errDelta, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}
