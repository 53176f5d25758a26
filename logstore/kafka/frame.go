package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// frame is one request as it came: header fields, and the body still encoded.
type frame struct {
	key      int16
	version  int16
	corr     int32
	clientID string
	body     []byte
	buf      *[]byte // pooled; body aliases it
	size     int64
}

var errFrame = errors.New("malformed request")

// frameHeaderBytes is what every request has: key, version, correlation id.
const frameHeaderBytes = 8

// readSize reads a frame's length and its API key, and checks the length against the cap of that key, before any memory is
// given to the frame.
func readSize(r io.Reader, head []byte, maxProduce, maxControl int32) (int32, error) {
	if _, err := io.ReadFull(r, head[:4+frameHeaderBytes]); err != nil {
		return 0, err
	}
	size := int32(binary.BigEndian.Uint32(head))
	limit := maxControl
	if key := int16(binary.BigEndian.Uint16(head[4:])); key == int16(kmsg.Produce) {
		limit = maxProduce
	}
	if size < frameHeaderBytes || size > limit {
		return 0, fmt.Errorf("%w: %d bytes, at most %d are accepted", errFrame, size, limit)
	}
	return size, nil
}

// parseFrame decodes the header in buf (without the length). Version and key must be known to have a body.
func parseFrame(buf []byte) (frame, error) {
	r := kbin.Reader{Src: buf}
	f := frame{key: r.Int16(), version: r.Int16(), corr: r.Int32()}
	if id := r.NullableString(); id != nil {
		f.clientID = *id
	}
	if r.Complete() != nil && !r.Ok() {
		return f, fmt.Errorf("%w: header", errFrame)
	}
	f.body = r.Src
	return f, nil
}

// skipHeaderTags drops the header's tag section, which flexible versions have.
func (f *frame) skipHeaderTags(flexible bool) error {
	if !flexible {
		return nil
	}
	r := kbin.Reader{Src: f.body}
	kmsg.SkipTags(&r)
	if !r.Ok() {
		return fmt.Errorf("%w: header tags", errFrame)
	}
	f.body = r.Src
	return nil
}

// Frame buffers are pooled by power of two, because first touch of fresh memory costs more than reading the socket.
const (
	minClass = 12 // 4 KiB
	maxClass = 24 // 16 MiB; larger frames are rare and not kept
)

var bufPools [maxClass + 1]sync.Pool

func getBuf(size int) *[]byte {
	class := max(minClass, bits.Len(uint(max(size, 1)-1)))
	if class > maxClass {
		b := make([]byte, size)
		return &b
	}
	if p, ok := bufPools[class].Get().(*[]byte); ok {
		*p = (*p)[:size]
		return p
	}
	b := make([]byte, size, 1<<class)
	return &b
}

func putBuf(p *[]byte) {
	if p == nil {
		return
	}
	class := bits.Len(uint(cap(*p))) - 1
	if class >= minClass && class <= maxClass && cap(*p) == 1<<class {
		bufPools[class].Put(p)
	}
}
