package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/wal"
)

// A damaged partition must not hold up the write-ahead log, nor lose what only the write-ahead log has of it. So a start that
// finds it damaged parks that in a file of the partition's directory, <LSN>.parked; the start that finds it sound again takes it
// from there.
//
//	magic (8) | incarnation u64 | entries: length u32 | CRC32C u32 of the rest | type u8 | append time ms i64 | payload
const (
	parkedExt   = ".parked"
	parkedMagic = "SFPRK\x00\x00\x01" // the last byte is the version
	parkedHead  = len(parkedMagic) + 8
	parkedEntry = 4 + 4
)

// park writes down what the write-ahead log has of the damaged partitions. Partitions with other replicas are fetched again
// instead: what their log says of cuts cannot be done to files that are damaged.
func (r *recovery) park() error {
	type parking struct {
		lsn         uint64
		incarnation uint64
		data        []byte
		not         bool
	}
	lots := map[TopicPartition]*parking{}
	_, err := wal.Check(r.log.o.FS, path.Join(r.log.o.Dir, walDir), func(e wal.Entry) error {
		tp, incarnation, rest, err := cutEntryPrefix(e.Payload)
		if err != nil || r.broken[tp] == nil {
			return err
		}
		lot := lots[tp]
		if lot == nil || lot.incarnation != incarnation {
			lot = &parking{lsn: e.LSN, incarnation: incarnation}
			lots[tp] = lot
		}
		if e.Type != typeAppend && e.Type != typeLogStart {
			lot.not = lot.not || e.Type != typeTopicID
			return nil
		}
		lot.data = appendParked(lot.data, e.Type, e.Timestamp, rest)
		return nil
	})
	if err != nil {
		return err
	}
	for tp, lot := range lots {
		if lot.not || len(lot.data) == 0 {
			continue
		}
		b := binary.LittleEndian.AppendUint64([]byte(parkedMagic), lot.incarnation)
		dir := r.log.partitionDir(tp)
		name := path.Join(dir, fmt.Sprintf("%020d%s", lot.lsn, parkedExt))
		if err := vfs.WriteFile(r.log.o.FS, name, append(b, lot.data...)); err != nil {
			return fmt.Errorf("logstore: park %s: %w", tp, err)
		}
		if err := r.log.o.FS.SyncDir(dir); err != nil {
			return fmt.Errorf("logstore: park %s: %w", tp, err)
		}
	}
	return nil
}

func appendParked(dst []byte, typ wal.Type, ms int64, rest []byte) []byte {
	le := binary.LittleEndian
	body := append(le.AppendUint64([]byte{byte(typ)}, uint64(ms)), rest...)
	dst = le.AppendUint32(dst, uint32(len(body)))
	dst = le.AppendUint32(dst, crc32.Checksum(body, castagnoli))
	return append(dst, body...)
}

// decodeParked gives fn the entries of a parked file.
func decodeParked(b []byte, fn func(typ wal.Type, ms int64, rest []byte) error) (incarnation uint64, err error) {
	if len(b) < parkedHead || string(b[:len(parkedMagic)]) != parkedMagic {
		return 0, errors.New("not a file of parked records of this version")
	}
	le := binary.LittleEndian
	incarnation = le.Uint64(b[len(parkedMagic):])
	for b = b[parkedHead:]; len(b) > 0; {
		if len(b) < parkedEntry || int64(le.Uint32(b)) > int64(len(b)-parkedEntry) || le.Uint32(b) < 9 {
			return incarnation, errors.New("parked records are cut short")
		}
		body := b[parkedEntry : parkedEntry+int(le.Uint32(b))]
		if crc32.Checksum(body, castagnoli) != le.Uint32(b[4:]) {
			return incarnation, errors.New("parked records fail their CRC")
		}
		if err := fn(wal.Type(body[0]), int64(le.Uint64(body[1:])), body[9:]); err != nil {
			return incarnation, err
		}
		b = b[parkedEntry+len(body):]
	}
	return incarnation, nil
}

// parkedFiles lists the files of parked records in a directory, oldest first.
func parkedFiles(fs vfs.FS, dir string) (list []string, err error) {
	names, err := fs.ReadDir(dir)
	for _, name := range names {
		if strings.HasSuffix(name, parkedExt) {
			list = append(list, path.Join(dir, name))
		}
	}
	return list, err
}

// unpark takes back what an earlier start has parked, into the segments of a partition that is sound again.
func (p *Partition) unpark() error {
	fs := p.log.o.FS
	files, err := parkedFiles(fs, p.dir)
	if err != nil || len(files) == 0 {
		return err
	}
	for _, name := range files {
		if err := p.unparkFile(name); err != nil {
			return err
		}
	}
	p.disk.Lock()
	defer p.disk.Unlock()
	if err := p.syncSegments(false); err != nil {
		return err
	}
	for _, name := range files {
		if err := fs.Remove(name); err != nil {
			return err
		}
	}
	p.disk.snapWanted++
	return fs.SyncDir(p.dir)
}

func (p *Partition) unparkFile(name string) error {
	b, err := vfs.ReadFile(p.log.o.FS, name)
	if err != nil {
		return err
	}
	starts := int64(0)
	incarnation, err := decodeParked(b, func(typ wal.Type, ms int64, rest []byte) error {
		if typ == typeLogStart {
			starts = max(starts, (&reader{b: rest}).i64())
			return nil
		}
		return p.unparkBatches(rest, ms)
	})
	if _, known := usererr.As(err); err != nil && !known {
		err = usererr.New("CORRUPT_SEGMENT", "XX001", "Records that were put aside while a partition was damaged cannot be read: %v.", err).
			In(name).WithFix("Restore the file from a copy or a replica.")
	}
	if err == nil && incarnation == p.incarnation {
		p.logStart = max(p.logStart, min(starts, p.end))
		p.settle()
	}
	return err
}

// unparkBatches writes the batches that are not there yet.
func (p *Partition) unparkBatches(data []byte, ms int64) error {
	var list []record.Batch
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			return err
		}
		data = rest
		if b.BaseOffset() < p.end {
			continue
		}
		if b.BaseOffset() > p.end {
			return missing(p, p.end, b.BaseOffset())
		}
		list = append(list, b)
		if err := p.learn(b, ms); err != nil {
			return err
		}
		p.grown(b.LastOffset() + 1)
	}
	if len(list) == 0 {
		return nil
	}
	return p.writeSegments(list)
}
