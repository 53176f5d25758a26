package meta

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"github.com/hashicorp/raft"
)

// snapshotVersion is the first byte of a snapshot; see docs/format/meta.md.
const snapshotVersion = 1

// section is one machine's state in a snapshot, with a checksum of its own, so that damage is reported by machine name.
type section struct {
	name  string
	state []byte
}

// appendSnapshot encodes sections in name order: version, count, {name, state, CRC32C of both}….
func appendSnapshot(dst []byte, sections []section) []byte {
	sort.Slice(sections, func(i, j int) bool { return sections[i].name < sections[j].name })
	dst = append(dst, snapshotVersion)
	dst = binary.AppendUvarint(dst, uint64(len(sections)))
	for _, s := range sections {
		start := len(dst)
		dst = appendBytes(dst, []byte(s.name))
		dst = appendBytes(dst, s.state)
		dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	}
	return dst
}

// decodeSnapshot is the inverse of appendSnapshot. The sections alias data.
func decodeSnapshot(data []byte) ([]section, error) {
	if len(data) == 0 {
		return nil, errTruncated
	}
	if data[0] != snapshotVersion {
		return nil, fmt.Errorf("version %d, this release reads %d", data[0], snapshotVersion)
	}
	count, rest, err := uvarint(data[1:])
	if err != nil {
		return nil, err
	}
	var sections []section
	for i := range count {
		var s section
		if s, rest, err = takeSection(rest); err != nil {
			return nil, fmt.Errorf("section %d of %d: %w", i+1, count, err)
		}
		sections = append(sections, s)
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%d bytes after the last section", len(rest))
	}
	return sections, nil
}

func takeSection(b []byte) (section, []byte, error) {
	name, rest, err := takeBytes(b)
	if err != nil {
		return section{}, nil, err
	}
	state, rest, err := takeBytes(rest)
	if err != nil {
		return section{}, nil, fmt.Errorf("%q: %w", name, err)
	}
	covered := b[:len(b)-len(rest)]
	if len(rest) < 4 {
		return section{}, nil, fmt.Errorf("%q: %w", name, errTruncated)
	}
	if got, sum := crc32.Checksum(covered, castagnoli), binary.LittleEndian.Uint32(rest); got != sum {
		return section{}, nil, fmt.Errorf("%q: checksum %08x, stored %08x", name, got, sum)
	}
	return section{name: string(name), state: state}, rest[4:], nil
}

// fsmSnapshot is an encoded snapshot on its way to raft's snapshot store.
type fsmSnapshot []byte

func (s fsmSnapshot) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(s); err != nil {
		_ = sink.Cancel()
		return fmt.Errorf("meta: write snapshot: %w", err)
	}
	return sink.Close()
}

func (fsmSnapshot) Release() {}

func readSnapshot(r io.Reader) ([]section, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("meta: read snapshot: %w", err)
	}
	sections, err := decodeSnapshot(data)
	if err != nil {
		return nil, fmt.Errorf("meta: snapshot damaged: %w", err)
	}
	return sections, nil
}
