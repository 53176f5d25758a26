package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// entryVersion is the first byte of each log entry; see docs/format/meta.md.
const entryVersion = 1

var (
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
	errTruncated = errors.New("truncated")
)

// command is one machine's command inside an entry.
type command struct {
	machine string
	data    []byte
}

// appendEntry encodes commands as one log entry: version, count, {name, bytes}…, CRC32C of all before it.
func appendEntry(dst []byte, cmds []command) []byte {
	start := len(dst)
	dst = append(dst, entryVersion)
	dst = binary.AppendUvarint(dst, uint64(len(cmds)))
	for _, c := range cmds {
		dst = appendBytes(dst, []byte(c.machine))
		dst = appendBytes(dst, c.data)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// decodeEntry is the inverse of appendEntry. The commands alias data.
func decodeEntry(data []byte) ([]command, error) {
	body, err := checked(data, entryVersion)
	if err != nil {
		return nil, err
	}
	count, body, err := uvarint(body)
	if err != nil {
		return nil, err
	}
	if count > uint64(len(body)) { // each command takes two bytes at least
		return nil, fmt.Errorf("%d commands in %d bytes", count, len(body))
	}
	cmds := make([]command, 0, count)
	for range count {
		var name, cmd []byte
		if name, body, err = takeBytes(body); err != nil {
			return nil, err
		}
		if cmd, body, err = takeBytes(body); err != nil {
			return nil, err
		}
		cmds = append(cmds, command{machine: string(name), data: cmd})
	}
	if len(body) != 0 {
		return nil, fmt.Errorf("%d bytes after the last command", len(body))
	}
	return cmds, nil
}

// checked verifies the version byte and the trailing CRC32C, and returns what is between them.
func checked(data []byte, version byte) ([]byte, error) {
	if len(data) < 5 {
		return nil, errTruncated
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, fmt.Errorf("checksum %08x, stored %08x", got, sum)
	}
	if body[0] != version {
		return nil, fmt.Errorf("version %d, this release reads %d", body[0], version)
	}
	return body[1:], nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func takeBytes(b []byte) (val, rest []byte, err error) {
	n, b, err := uvarint(b)
	if err != nil {
		return nil, nil, err
	}
	if n > uint64(len(b)) {
		return nil, nil, errTruncated
	}
	return b[:n:n], b[n:], nil
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errTruncated
	}
	return v, b[n:], nil
}
