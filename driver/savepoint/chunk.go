package savepoint

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/zeebo/xxh3"
)

// Entry is a pair of an operator's state as it is kept, with the time of expiry before the value where the state has a TTL.
type Entry struct {
	Group      int
	Bucket     int64
	Key, Value []byte
}

const (
	chunkMagic   = "SFSC"
	chunkVersion = 1
	chunkHead    = len(chunkMagic) + 1

	minChunk = 256 << 10
	maxChunk = 4 << 20
	cutMask  = 1<<10 - 1 // of a chunk that is large enough, one entry in 1,024 is the last
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errChunk   = errors.New("savepoint: damaged chunk")
)

// appendEntry appends an entry to a chunk, which begins with chunkMagic and its version.
func appendEntry(b []byte, e *Entry) []byte {
	if len(b) == 0 {
		b = append(append(b, chunkMagic...), chunkVersion)
	}
	b = binary.AppendUvarint(b, uint64(e.Group))
	b = binary.AppendVarint(b, e.Bucket)
	b = binary.AppendUvarint(b, uint64(len(e.Key)))
	b = append(b, e.Key...)
	b = binary.AppendUvarint(b, uint64(len(e.Value)))
	return append(b, e.Value...)
}

// ends reports whether a chunk of that size ends with the entry. It depends on the entry's key, not on what came before, so
// that after a change the same ends are found again.
func ends(size int, e *Entry) bool {
	return size >= maxChunk || size >= minChunk && (xxh3.Hash(e.Key)^uint64(e.Bucket)*0x9E3779B97F4A7C15)&cutMask == 0
}

// seal ends a chunk with its checksum.
func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeChunk visits the entries of a chunk; their bytes are parts of b.
func decodeChunk(b []byte, visit func(*Entry) error) error {
	if len(b) < chunkHead+4 || string(b[:len(chunkMagic)]) != chunkMagic {
		return errChunk
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return errChunk
	}
	if b[len(chunkMagic)] != chunkVersion {
		return errors.New("savepoint: a chunk of a later release")
	}
	r := chunkReader{b: b[chunkHead:end]}
	for len(r.b) > 0 {
		e := Entry{Group: int(r.uvarint()), Bucket: r.varint()}
		e.Key, e.Value = r.bytes(), r.bytes()
		if r.failed {
			return errChunk
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

// chunkReader reads values until one is not whole.
type chunkReader struct {
	b      []byte
	failed bool
}

func (r *chunkReader) uvarint() uint64 {
	n, w := binary.Uvarint(r.b)
	if w <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *chunkReader) varint() int64 {
	n, w := binary.Varint(r.b)
	if w <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[w:]
	return n
}

func (r *chunkReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}
