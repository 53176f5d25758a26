package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// A frame, big endian; docs/format/peer.md draws it.
//
//	0 length u32, of what follows the header | 4 CRC32C u32, of what follows it | 8 type u8, 3 zero | 12 id u64 | 20 payload
const (
	frameHead = 20
	maxFrame  = 64 << 20
)

// Types of frames.
const (
	question = 1 // payload: patience in ms u32, kind length u8, kind, body
	answer   = 2 // payload: the handler's answer
	failure  = 3 // payload: the handler's error
	cancel   = 4 // nobody waits for the answer any more
	ping     = 5
	pong     = 6
)

type frame struct {
	typ     byte
	id      uint64
	payload []byte
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errFrameSize = errors.New("rpc: frame too large")
	errFrameCRC  = errors.New("rpc: frame damaged")
	errFrameType = errors.New("rpc: frame of unknown type")
	errQuestion  = errors.New("rpc: question cut short")
)

// appendFrame encodes a frame whose payload is the parts, one after the other.
func appendFrame(dst []byte, typ byte, id uint64, parts ...[]byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, frameHead)...)
	for _, p := range parts {
		dst = append(dst, p...)
	}
	f := dst[start:]
	binary.BigEndian.PutUint32(f, uint32(len(f)-frameHead))
	f[8] = typ
	binary.BigEndian.PutUint64(f[12:], id)
	binary.BigEndian.PutUint32(f[4:], crc32.Checksum(f[8:], castagnoli))
	return dst
}

// readFrame reads one frame. Memory grows with what arrives, not with what the header claims.
func readFrame(r io.Reader) (frame, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	size := binary.BigEndian.Uint32(head[:])
	f := frame{typ: head[8], id: binary.BigEndian.Uint64(head[12:])}
	switch {
	case size > maxFrame:
		return frame{}, fmt.Errorf("%w: %d bytes", errFrameSize, size)
	case f.typ < question || f.typ > pong || head[9]|head[10]|head[11] != 0:
		return frame{}, errFrameType
	}
	var err error
	if f.payload, err = readPayload(r, int(size)); err != nil {
		return frame{}, err
	}
	if crc32.Update(crc32.Checksum(head[8:], castagnoli), castagnoli, f.payload) != binary.BigEndian.Uint32(head[4:]) {
		return frame{}, errFrameCRC
	}
	return f, nil
}

func readPayload(r io.Reader, size int) ([]byte, error) {
	const step = 1 << 20
	b := make([]byte, min(size, step))
	for at := 0; at < size; {
		n, err := io.ReadFull(r, b[at:])
		if err != nil {
			return nil, noEOF(err)
		}
		if at += n; at < size {
			b = append(b, make([]byte, min(size-at, max(step, len(b))))...)
		}
	}
	return b, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// questionHead is what a question's payload begins with.
func questionHead(patience time.Duration, kind string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(min(max(patience.Milliseconds(), 1), 1<<31)))
	return append(append(b, byte(len(kind))), kind...)
}

func splitQuestion(payload []byte) (patience time.Duration, kind string, body []byte, err error) {
	if len(payload) < 5 || len(payload) < 5+int(payload[4]) {
		return 0, "", nil, errQuestion
	}
	patience = time.Duration(binary.BigEndian.Uint32(payload)) * time.Millisecond
	n := 5 + int(payload[4])
	return patience, string(payload[5:n]), payload[n:], nil
}
