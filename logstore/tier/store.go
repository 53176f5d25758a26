package tier

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
)

// ErrNotFound is what Get returns, wrapped, for a key that there is not.
var ErrNotFound = errors.New("tier: no such object")

// Store keeps objects by key. A key is slash-separated, of letters, digits, '-', '.' and '_'. What Put and Delete did is
// seen by every later Get and List, from any node (S3 promises that since 2020).
type Store interface {
	// Put stores the body under key, durably, and whole or not at all: a key never leads to a part of a body. It replaces
	// an object that has the key. An error leaves open which of the two there is.
	Put(ctx context.Context, key string, b Body) error
	// Get reads n bytes of an object from the offset off; fewer are io.ErrUnexpectedEOF.
	Get(ctx context.Context, key string, off, n int64) ([]byte, error)
	// List names the objects whose keys begin with prefix, by key.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Delete removes an object; one that there is not is no error.
	Delete(ctx context.Context, key string) error
}

// Body is what Put stores: Size bytes whose CRC32C is CRC. A store checks that on the way.
type Body struct {
	io.ReaderAt
	Size int64
	CRC  uint32
}

// Info is an object in a list.
type Info struct {
	Key  string
	Size int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// bodyOf is a body in memory.
func bodyOf(b []byte) Body {
	return Body{ReaderAt: bytes.NewReader(b), Size: int64(len(b)), CRC: crc32.Checksum(b, castagnoli)}
}

var errBodyChanged = errors.New("tier: what was to be stored does not have its checksum")
