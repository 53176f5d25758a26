package shuffle

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// encodeIndex returns the index file: for each partition its blocks, and a checksum over everything.
func encodeIndex(parts [][]block, dataSize int64) []byte {
	b := append([]byte{}, indexMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(parts)))
	b = binary.LittleEndian.AppendUint64(b, uint64(dataSize))
	first := 0
	for _, blocks := range parts {
		b = binary.LittleEndian.AppendUint32(b, uint32(first))
		first += len(blocks)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(first))
	for _, blocks := range parts {
		for _, x := range blocks {
			b = binary.LittleEndian.AppendUint64(b, uint64(x.off))
			b = binary.LittleEndian.AppendUint64(b, uint64(x.size))
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errIndex = errors.New("damaged index")

// decodeIndex returns the blocks of one partition.
func decodeIndex(b []byte, part int) ([]block, error) {
	const head = len(indexMagic) + 12
	if len(b) < head+8 || string(b[:len(indexMagic)]) != indexMagic {
		return nil, errIndex
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, errIndex
	}
	parts := int64(binary.LittleEndian.Uint32(body[len(indexMagic):]))
	dataSize := int64(binary.LittleEndian.Uint64(body[len(indexMagic)+4:]))
	table := int64(head) + 4*(parts+1)
	if int64(part) >= parts || part < 0 || table > int64(len(body)) {
		return nil, errIndex
	}
	first := func(p int64) int64 { return int64(binary.LittleEndian.Uint32(body[int64(head)+4*p:])) }
	from, to := first(int64(part)), first(int64(part)+1)
	if from > to || table+16*first(parts) != int64(len(body)) || to > first(parts) {
		return nil, errIndex
	}
	blocks := make([]block, 0, to-from)
	for i := from; i < to; i++ {
		at := body[table+16*i:]
		x := block{int64(binary.LittleEndian.Uint64(at)), int64(binary.LittleEndian.Uint64(at[8:]))}
		if x.off < int64(len(dataMagic)) || x.size < blockHead || x.size > dataSize || x.off > dataSize-x.size {
			return nil, errIndex
		}
		blocks = append(blocks, x)
	}
	return blocks, nil
}
