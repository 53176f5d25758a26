package logstore

import (
	"path"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/segment"
)

// finishCompaction brings a replacement to its end that a crash cut off, and finds how far compactions have come. What is
// behind limit is about to be written again from the write-ahead log, as it was before any compaction: then nothing counts as
// clean, or a tombstone could go while an older value of its key stays.
func (p *Partition) finishCompaction(limit int64) (err error) {
	fs := p.log.o.FS
	if p.life.compacted, err = segment.Finish(fs, p.dir); err != nil {
		return err
	}
	name := path.Join(p.dir, cleanedFile)
	b, err := vfs.ReadFile(fs, name)
	if vfs.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	to, _, err := decodeCleaned(b)
	if err == nil && to <= limit {
		p.life.cleanedTo = to
		return nil
	}
	if err := fs.Remove(name); err != nil {
		return err
	}
	return fs.SyncDir(p.dir)
}

// openSegment opens one. What a compaction wrote was synced and read back before it counted: nothing of it is cut.
func (p *Partition) openSegment(base, limit, nowMs int64) (*segment.Segment, error) {
	compacted := p.life.compacted[base]
	if compacted {
		limit = segment.NoLimit
	}
	s, err := segment.Open(p.log.o.FS, p.dir, base, p.cfg.IndexInterval, limit, nowMs)
	if err != nil {
		return nil, err
	}
	s.Manage(p.log.files)
	if compacted && !s.Indexed() {
		if m, err := segment.ReadManifest(p.log.o.FS, p.dir, base); err == nil {
			s.SetTimes(m.Target.CreatedMs, m.Target.AppendedMs)
		}
	}
	return s, nil
}

// keepNewest takes what no batch tells from the newest snapshot, also when that is of an offset behind the end. A checkpoint
// notes how far the write-ahead log is safe before it takes its snapshots, so a replay may begin behind the record of a log
// start, or of a leader epoch, and cut the segments below the snapshot that has it. A log start behind the end waits until the
// replay has come there.
func (p *Partition) keepNewest() error {
	snap, err := loadSnapshot(p.log.o.FS, p.dir, segment.NoLimit)
	if err != nil || snap == nil || snap.at <= p.end {
		return err
	}
	if snap.logStart <= p.end {
		p.logStart = max(p.logStart, snap.logStart)
	} else {
		p.starting = snap.logStart
	}
	for _, e := range snap.epochs {
		if e.Start <= p.end {
			p.epochs.Note(e.Epoch, e.Start)
		}
	}
	return nil
}

// forgetCompaction says that the log is about to be cut at an offset: what comes behind it will be new to every compaction,
// and a segment that is shortened is not what its manifest says. p.disk is held.
func (p *Partition) forgetCompaction(to int64) error {
	p.mu.Lock()
	clean := p.life.cleanedTo <= to
	var shortened *segment.Segment
	if n := len(p.segments); n > 0 && p.segments[n-1].Summary().Next > to {
		shortened = p.segments[n-1]
	}
	fs := p.log.o.FS
	names := []string(nil)
	if !clean {
		p.life.cleanedTo = 0
		names = append(names, path.Join(p.dir, cleanedFile))
	}
	if shortened != nil && p.life.compacted[shortened.Base()] {
		delete(p.life.compacted, shortened.Base())
		names = append(names, path.Join(p.dir, segment.Name(shortened.Base(), segment.ManifestExt)))
	}
	p.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		if err := fs.Remove(name); err != nil && !vfs.IsNotExist(err) {
			return err
		}
	}
	return fs.SyncDir(p.dir)
}
