package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path"
	"sort"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/segment"
)

// snapshot is what a partition knows beside its batches, as of the offset at.
type snapshot struct {
	at       int64
	logStart int64
	epochs   replica.Epochs
	state    producers
}

const (
	snapshotMagic = "SFSNP\x00\x00\x01" // the last byte is the version
	snapshotExt   = ".snapshot"
)

func (s *snapshot) encode() []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), snapshotMagic...)
	b = le.AppendUint64(b, uint64(s.at))
	b = le.AppendUint64(b, uint64(s.logStart))
	b = le.AppendUint32(b, uint32(len(s.epochs)))
	for _, e := range s.epochs {
		b = le.AppendUint32(b, uint32(e.Epoch))
		b = le.AppendUint64(b, uint64(e.Start))
	}
	b = le.AppendUint32(b, uint32(len(s.state.byID)))
	for _, id := range s.state.ids() {
		b = s.state.byID[id].encode(le.AppendUint64(b, uint64(id)))
	}
	b = le.AppendUint32(b, uint32(len(s.state.aborted)))
	for _, a := range s.state.aborted {
		b = le.AppendUint64(b, uint64(a.producerID))
		b = le.AppendUint64(b, uint64(a.first))
		b = le.AppendUint64(b, uint64(a.last))
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (s *producers) ids() []int64 {
	ids := make([]int64, 0, len(s.byID))
	for id := range s.byID {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

func (p *producer) encode(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, uint16(p.epoch))
	b = le.AppendUint64(b, uint64(p.txnFirst))
	b = le.AppendUint64(b, uint64(p.lastMs))
	b = append(b, byte(len(p.batches)))
	for _, sent := range p.batches {
		b = le.AppendUint32(b, uint32(sent.first))
		b = le.AppendUint32(b, uint32(sent.last))
		b = le.AppendUint64(b, uint64(sent.base))
		b = le.AppendUint32(b, uint32(sent.delta))
		b = le.AppendUint64(b, uint64(sent.appendMs))
	}
	return b
}

var errShortSnapshot = errors.New("snapshot is cut short")

func decodeSnapshot(b []byte) (*snapshot, error) {
	if len(b) < len(snapshotMagic)+4 || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, errors.New("not a partition snapshot of this version")
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errors.New("snapshot fails its CRC")
	}
	r := &reader{b: body[len(snapshotMagic):]}
	s := &snapshot{at: r.i64(), logStart: r.i64()}
	for n := r.count(12); n > 0; n-- {
		s.epochs = append(s.epochs, replica.EpochStart{Epoch: int32(r.u32()), Start: r.i64()})
	}
	for n := r.count(8 + 19); n > 0; n-- {
		s.state.decodeProducer(r)
	}
	for n := r.count(24); n > 0; n-- {
		s.state.aborted = append(s.state.aborted, abortedTxn{producerID: r.i64(), first: r.i64(), last: r.i64()})
	}
	sort.Slice(s.state.open, func(i, j int) bool { return s.state.open[i].first < s.state.open[j].first })
	if r.short || len(r.b) != 0 {
		return nil, errShortSnapshot
	}
	return s, nil
}

func (s *producers) decodeProducer(r *reader) {
	id := r.i64()
	p := s.at(id, int16(r.u16()))
	p.txnFirst, p.lastMs = r.i64(), r.i64()
	for n := r.u8(); n > 0 && !r.short; n-- {
		p.batches = append(p.batches, sentBatch{
			first: int32(r.u32()), last: int32(r.u32()), base: r.i64(), delta: int32(r.u32()), appendMs: r.i64(),
		})
	}
	if p.txnFirst >= 0 {
		s.open = append(s.open, openTxn{producerID: id, first: p.txnFirst})
	}
}

// reader takes little-endian integers off a slice; past the end it returns zeros and sets short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.short, r.b = true, nil
		return make([]byte, n)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) i64() int64  { return int64(binary.LittleEndian.Uint64(r.take(8))) }

// count is a number of items of at least width bytes each; one that cannot be is 0 and short.
func (r *reader) count(width int) int {
	n := int64(r.u32())
	if n*int64(width) > int64(len(r.b)) {
		r.short = true
		return 0
	}
	return int(n)
}

// writeSnapshot keeps b as the snapshot at an offset, and removes the ones before the last two.
func writeSnapshot(fs vfs.FS, dir string, at int64, b []byte) error {
	if err := vfs.WriteFile(fs, path.Join(dir, segment.Name(at, snapshotExt)), b); err != nil {
		return fmt.Errorf("logstore: snapshot: %w", err)
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("logstore: snapshot: %w", err)
	}
	all, err := listByOffset(fs, dir, snapshotExt)
	if err != nil {
		return err
	}
	for len(all) > 2 {
		if err := fs.Remove(path.Join(dir, segment.Name(all[0], snapshotExt))); err != nil {
			return fmt.Errorf("logstore: snapshot: %w", err)
		}
		all = all[1:]
	}
	return nil
}

// loadSnapshot finds the newest sound snapshot that is not beyond the offset end, or nil. A damaged one is passed over:
// what it knew is in the batches.
func loadSnapshot(fs vfs.FS, dir string, end int64) (*snapshot, error) {
	all, err := listByOffset(fs, dir, snapshotExt)
	if err != nil {
		return nil, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] > end {
			continue
		}
		b, err := vfs.ReadFile(fs, path.Join(dir, segment.Name(all[i], snapshotExt)))
		if err != nil {
			return nil, fmt.Errorf("logstore: snapshot: %w", err)
		}
		if s, err := decodeSnapshot(b); err == nil && s.at == all[i] {
			return s, nil
		}
	}
	return nil, nil
}

// listByOffset lists the offsets of a directory's files of one kind, ascending.
func listByOffset(fs vfs.FS, dir, ext string) ([]int64, error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	var offsets []int64
	for _, name := range names {
		if at, ok := segment.ParseName(name, ext); ok {
			offsets = append(offsets, at)
		}
	}
	return offsets, nil
}
