package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	indexMagic     = "SFIDX\x00\x00\x01" // the last byte is the version
	timeIndexMagic = "SFTIX\x00\x00\x01"

	indexHead     = 80 // magic, summary, count
	timeIndexHead = 32 // magic, base, bytes, count
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeIndex(s Summary, x index) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, indexHead+8*len(x)+4)
	b = append(b, indexMagic...)
	for _, v := range []int64{s.Base, s.Next, s.Bytes, s.Records, s.MaxTimestamp, s.MaxOffset, s.Created, s.Appended} {
		b = le.AppendUint64(b, uint64(v))
	}
	b = le.AppendUint64(b, uint64(len(x)))
	for _, e := range x {
		b = le.AppendUint32(b, e.rel)
		b = le.AppendUint32(b, e.pos)
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func encodeTimeIndex(s Summary, x index) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, timeIndexHead+12*len(x)+4)
	b = append(b, timeIndexMagic...)
	b = le.AppendUint64(b, uint64(s.Base))
	b = le.AppendUint64(b, uint64(s.Bytes))
	b = le.AppendUint64(b, uint64(len(x)))
	for _, e := range x {
		b = le.AppendUint64(b, uint64(e.before))
		b = le.AppendUint32(b, e.rel)
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// checkEnvelope checks what both files share: magic, entry count, length and CRC.
func checkEnvelope(b []byte, magic string, head, width int) (entries []byte, err error) {
	if len(b) < head+4 || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("segment: not an index of this version")
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, fmt.Errorf("segment: index fails its CRC")
	}
	count := binary.LittleEndian.Uint64(b[head-8:])
	if count > uint64(len(body)) || len(body) != head+int(count)*width {
		return nil, fmt.Errorf("segment: index of %d entries has %d bytes", count, len(b))
	}
	return body[head:], nil
}

func decodeIndex(b []byte) (s Summary, x index, err error) {
	entries, err := checkEnvelope(b, indexMagic, indexHead, 8)
	if err != nil {
		return s, nil, err
	}
	le := binary.LittleEndian
	for i, p := range []*int64{&s.Base, &s.Next, &s.Bytes, &s.Records, &s.MaxTimestamp, &s.MaxOffset, &s.Created, &s.Appended} {
		*p = int64(le.Uint64(b[8+8*i:]))
	}
	x = make(index, len(entries)/8)
	for i := range x {
		x[i].rel, x[i].pos = le.Uint32(entries[8*i:]), le.Uint32(entries[8*i+4:])
	}
	return s, x, nil
}

var errDisagree = errors.New("segment: index and time index disagree")

// joinTimeIndex fills the timestamps of x from a time index that was written with it.
func joinTimeIndex(b []byte, s Summary, x index) error {
	entries, err := checkEnvelope(b, timeIndexMagic, timeIndexHead, 12)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if int64(le.Uint64(b[8:])) != s.Base || int64(le.Uint64(b[16:])) != s.Bytes || len(entries) != 12*len(x) {
		return errDisagree
	}
	for i := range x {
		if le.Uint32(entries[12*i+8:]) != x[i].rel {
			return fmt.Errorf("%w: at entry %d", errDisagree, i)
		}
		x[i].before = int64(le.Uint64(entries[12*i:]))
	}
	return nil
}
