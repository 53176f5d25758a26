package logstore

import (
	"errors"
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// VerifyReport is what Verify found.
type VerifyReport struct {
	Partitions int
	Segments   int
	Batches    int64
	Records    int64
	Bytes      int64
	Reindexed  int     // segments whose index was made anew
	Damage     []error // *usererr.Error: what is wrong and where
}

// Verify opens a data directory that no process uses and checks every byte of it: each batch's CRC and offsets, that
// segments follow each other without a gap, and that indexes agree with their segments. Indexes that do not are made
// anew. Like any opening it first replays what a crash left.
func Verify(o Options) (VerifyReport, error) {
	var r VerifyReport
	l, err := Open(o)
	if err != nil {
		if _, damage := usererr.As(err); damage {
			r.Damage = append(r.Damage, err)
			return r, nil
		}
		return r, err
	}
	all, err := l.Partitions()
	for _, tp := range all {
		if err == nil {
			err = r.partition(l, tp)
		}
	}
	return r, errors.Join(err, l.Close())
}

func (r *VerifyReport) partition(l *Log, tp TopicPartition) error {
	p, err := l.EnsurePartition(tp, PartitionConfig{})
	if err != nil {
		return r.note(err)
	}
	r.Partitions++
	p.mu.Lock()
	segments := append([]*segment.Segment(nil), p.segments...)
	p.mu.Unlock()
	for _, s := range segments {
		if err := r.segment(p, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *VerifyReport) segment(p *Partition, s *segment.Segment) error {
	r.Segments++
	sum, next := s.Summary(), s.Base()
	err := s.Scan(s.Base(), func(pos int64, b record.Batch) (bool, error) {
		if b.BaseOffset() < next {
			return false, usererr.New("CORRUPT_SEGMENT", "XX001", "A segment is damaged: offset %d comes after %d.", b.BaseOffset(), next-1).
				In(fmt.Sprintf("%s at byte %d", path.Join(p.dir, segment.Name(s.Base(), segment.LogExt)), pos))
		}
		next = b.LastOffset() + 1
		r.Batches++
		r.Records += int64(b.Count())
		r.Bytes += int64(len(b))
		return true, nil
	})
	if err == nil && next != sum.Next {
		err = usererr.New("CORRUPT_SEGMENT", "XX001", "A segment is damaged: its batches end at offset %d, its index at %d.", next, sum.Next).
			In(path.Join(p.dir, segment.Name(s.Base(), segment.LogExt)))
	}
	if err != nil {
		return r.note(err)
	}
	agrees, err := s.CheckIndex()
	if err != nil || agrees {
		return r.note(err)
	}
	r.Reindexed++
	return r.note(s.Reindex())
}

// note keeps damage and lets other errors through.
func (r *VerifyReport) note(err error) error {
	if err == nil {
		return nil
	}
	if _, damage := usererr.As(err); damage && !vfs.IsDiskFull(err) {
		r.Damage = append(r.Damage, err)
		return nil
	}
	return err
}
