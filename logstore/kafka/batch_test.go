package kafka

import (
	"encoding/binary"
	"hash/crc32"
)

// recordBatch builds a record batch v2 by hand, apart from the code under test.
func recordBatch(pid int64, epoch int16, seq int32, attrs int16, values ...string) []byte {
	var records []byte
	for i, v := range values {
		rec := []byte{0}
		rec = binary.AppendVarint(rec, 0)        // timestamp delta
		rec = binary.AppendVarint(rec, int64(i)) // offset delta
		rec = binary.AppendVarint(rec, -1)       // no key
		rec = binary.AppendVarint(rec, int64(len(v)))
		rec = append(rec, v...)
		rec = binary.AppendVarint(rec, 0) // headers
		records = binary.AppendVarint(records, int64(len(rec)))
		records = append(records, rec...)
	}
	body := binary.BigEndian.AppendUint16(nil, uint16(attrs))
	body = binary.BigEndian.AppendUint32(body, uint32(len(values)-1))
	body = binary.BigEndian.AppendUint64(body, 1000)
	body = binary.BigEndian.AppendUint64(body, 1000)
	body = binary.BigEndian.AppendUint64(body, uint64(pid))
	body = binary.BigEndian.AppendUint16(body, uint16(epoch))
	body = binary.BigEndian.AppendUint32(body, uint32(seq))
	body = binary.BigEndian.AppendUint32(body, uint32(len(values)))
	body = append(body, records...)
	b := make([]byte, 8, 21+len(body))
	b = binary.BigEndian.AppendUint32(b, uint32(9+len(body)))
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, 2)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, body...)
}
