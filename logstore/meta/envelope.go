package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The first byte of each log entry; see docs/format/meta.md.
const (
	entryVersion   = 1 // of a node that is alone
	stampedVersion = 2 // of a group: the entry says whose it is
)

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

// appendStamped encodes commands as an entry of a group: version, stamp, count, {name, bytes}…, CRC32C of all before it.
func appendStamped(dst []byte, at stamp, cmds []command) []byte {
	start := len(dst)
	dst = append(dst, stampedVersion)
	dst = binary.AppendUvarint(dst, uint64(uint32(at.node)))
	dst = binary.AppendUvarint(dst, at.epoch)
	dst = binary.LittleEndian.AppendUint64(dst, at.nonce)
	dst = binary.AppendUvarint(dst, at.seq)
	dst = binary.AppendUvarint(dst, uint64(len(cmds)))
	for _, c := range cmds {
		dst = appendBytes(dst, []byte(c.machine))
		dst = appendBytes(dst, c.data)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// logEntry is a decoded entry.
type logEntry struct {
	stamped bool
	at      stamp
	cmds    []command
}

// decodeEntry is the inverse of appendEntry and appendStamped. The commands alias data.
func decodeEntry(data []byte) (logEntry, error) {
	version, body, err := checked(data)
	if err != nil {
		return logEntry{}, err
	}
	e := logEntry{stamped: version == stampedVersion}
	if version != entryVersion && !e.stamped {
		return logEntry{}, fmt.Errorf("version %d, this release reads %d and %d", version, entryVersion, stampedVersion)
	}
	if e.stamped {
		if e.at, body, err = takeStamp(body); err != nil {
			return logEntry{}, err
		}
	}
	e.cmds, err = takeCommands(body)
	return e, err
}

func takeStamp(b []byte) (at stamp, rest []byte, err error) {
	node, b, err := uvarint(b)
	if err != nil {
		return stamp{}, nil, err
	}
	at.node = int32(uint32(node))
	if at.epoch, b, err = uvarint(b); err != nil {
		return stamp{}, nil, err
	}
	if len(b) < 8 {
		return stamp{}, nil, errTruncated
	}
	at.nonce = binary.LittleEndian.Uint64(b)
	at.seq, b, err = uvarint(b[8:])
	return at, b, err
}

func takeCommands(body []byte) ([]command, error) {
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

// checked verifies the trailing CRC32C, and returns the version byte and what is between them.
func checked(data []byte) (version byte, body []byte, err error) {
	if len(data) < 5 {
		return 0, nil, errTruncated
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return 0, nil, fmt.Errorf("checksum %08x, stored %08x", got, sum)
	}
	return body[0], body[1:], nil
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
