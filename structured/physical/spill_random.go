package physical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/streamflow/streamflow/column"
)

// place is where the next frame of the file will begin.
func (s *spillFile) place() int64 { return s.at }

// flush makes all frames readable by readAt; more may be written later.
func (s *spillFile) flush() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("physical: spill: %w", err)
	}
	return nil
}

// readAt reads the frame that begins at off into out, which is reused, through buf.
func (s *spillFile) readAt(off int64, buf []byte, out *column.Batch) (*column.Batch, []byte, error) {
	var head [8]byte
	if _, err := s.f.ReadAt(head[:], off); err != nil {
		return nil, buf, fmt.Errorf("physical: spill: %w", err)
	}
	buf = resize(buf, int(binary.LittleEndian.Uint32(head[:])))
	if _, err := s.f.ReadAt(buf, off+int64(len(head))); err != nil {
		return nil, buf, fmt.Errorf("physical: spill: %w", err)
	}
	if crc32.Checksum(buf, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, buf, errors.New("physical: spill file is damaged: checksum differs")
	}
	b, err := column.DecodeBatch(s.schema, buf, out)
	return b, buf, err
}
