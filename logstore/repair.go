package logstore

import (
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// quarantinedExt is in the names of files with bytes that were put aside: <base>.log.damaged-<byte>.
const quarantinedExt = ".damaged-"

// repair does what the findings allow.
func (v *verifier) repair() error {
	done := map[string]bool{} // one rewriting of a segment is for all that is wrong in it
	for i := range v.report.Findings {
		f := &v.report.Findings[i]
		do := f.repair
		if do == nil && v.o.Quarantine {
			do = f.last
		}
		if do == nil {
			continue
		}
		if f.Severity == Derived || !done[f.File] {
			if err := do(); err != nil && !vfs.IsNotExist(err) {
				return fmt.Errorf("logstore: repair %s: %w", f.File, err)
			}
		}
		done[f.File] = true
		f.Repaired = true
		if err := v.note("repair", *f); err != nil {
			return err
		}
	}
	return nil
}

// note writes the audit.
func (v *verifier) note(op string, f Finding) error {
	var a audit
	defer a.close()
	o := Operation{Version: auditVersion, Time: utc(v.o.NowMs), Op: op, Topic: f.Topic, Partition: f.Partition, Detail: f.File + ": " + f.What}
	return a.append(v.o.FS, v.o.Dir, o.encode())
}

// reindex makes a segment's index files from its batches.
func (v *verifier) reindex(dir string, base int64) error {
	for _, ext := range []string{segment.IndexExt, segment.TimeIndexExt} {
		if err := v.o.FS.Remove(path.Join(dir, segment.Name(base, ext))); err != nil && !vfs.IsNotExist(err) {
			return err
		}
	}
	s, err := segment.Open(v.o.FS, dir, base, 16<<10, segment.NoLimit, v.o.NowMs)
	if err != nil {
		return err
	}
	if m, merr := segment.ReadManifest(v.o.FS, dir, base); merr == nil && !s.Indexed() {
		s.SetTimes(m.Target.CreatedMs, m.Target.AppendedMs)
	}
	if err := s.Reindex(); err != nil {
		s.Close()
		return err
	}
	return s.Close()
}

// truncate cuts a torn tail off, and keeps its bytes.
func (v *verifier) truncate(tp TopicPartition, file string, from, to int64) error {
	if err := v.putAside(file, from, to); err != nil {
		return err
	}
	f, err := v.o.FS.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(from); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	base, _ := segment.ParseName(path.Base(file), segment.LogExt)
	return v.reindex(path.Dir(file), base)
}

// putAside copies bytes of a file.
func (v *verifier) putAside(file string, from, to int64) error {
	f, err := v.o.FS.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, to-from)
	if n, err := f.ReadAt(b, from); n < len(b) {
		return err
	}
	if err := vfs.WriteFile(v.o.FS, fmt.Sprintf("%s%s%d", file, quarantinedExt, from), b); err != nil {
		return err
	}
	return v.o.FS.SyncDir(path.Dir(file))
}

// quarantine writes a segment without its damaged bytes, which are put aside; empty batches keep the offsets that are lost. The
// segment then ends before next.
func (v *verifier) quarantine(tp TopicPartition, dir string, s *looseSegment, next int64) error {
	file := path.Join(dir, segment.Name(s.base, s.ext))
	w := &rewriter{v: v, dir: dir, base: s.base, at: s.base}
	for _, r := range s.x.Regions {
		if r.To > r.From {
			if err := v.putAside(file, r.From, r.To); err != nil {
				return err
			}
		}
	}
	_, err := segment.Examine(v.o.FS, dir, s.base, s.ext, w.take)
	if err == nil {
		err = w.finish(next)
	}
	if err != nil {
		return err
	}
	for _, ext := range []string{segment.IndexExt, segment.TimeIndexExt, segment.ManifestExt} {
		if err := v.o.FS.Remove(path.Join(dir, segment.Name(s.base, ext))); err != nil && !vfs.IsNotExist(err) {
			return err
		}
	}
	if err := v.o.FS.SyncDir(dir); err != nil {
		return err
	}
	if err := v.o.FS.Rename(w.tmp(), file); err != nil {
		return err
	}
	if err := v.o.FS.SyncDir(dir); err != nil {
		return err
	}
	return v.reindex(dir, s.base)
}

// fill makes a segment of an empty batch that keeps the offsets of a file that is gone.
func (v *verifier) fill(tp TopicPartition, dir string, from, to int64) error {
	w := &rewriter{v: v, dir: dir, base: from, at: from, epoch: -1}
	if err := w.finish(to + 1); err != nil {
		return err
	}
	if err := v.o.FS.Rename(w.tmp(), path.Join(dir, segment.Name(from, segment.LogExt))); err != nil {
		return err
	}
	if err := v.o.FS.SyncDir(dir); err != nil {
		return err
	}
	return v.reindex(dir, from)
}

// rewriter writes sound batches one behind the other, with empty ones where offsets are lost.
type rewriter struct {
	v     *verifier
	dir   string
	base  int64
	at    int64 // the next offset
	epoch int32
	file  vfs.File
	size  int64
	err   error
}

func (w *rewriter) tmp() string {
	return path.Join(w.dir, segment.Name(w.base, segment.LogExt)) + ".tmp"
}

func (w *rewriter) take(_ int64, b record.Batch) {
	w.fillTo(b.BaseOffset())
	w.write(b)
	w.at, w.epoch = b.LastOffset()+1, b.LeaderEpoch()
}

func (w *rewriter) fillTo(offset int64) {
	for w.at < offset && w.err == nil {
		last := min(offset-1, w.at+1<<31-2)
		w.write(record.Filler(nil, w.at, last, w.epoch))
		w.at = last + 1
	}
}

func (w *rewriter) write(b []byte) {
	if w.file == nil && w.err == nil {
		w.file, w.err = w.v.o.FS.Create(w.tmp())
	}
	if w.err != nil {
		return
	}
	_, w.err = w.file.WriteAt(b, w.size)
	w.size += int64(len(b))
}

// finish syncs what was written, up to the offset next.
func (w *rewriter) finish(next int64) error {
	w.fillTo(next)
	if w.err == nil && w.file != nil {
		w.err = w.file.Sync()
	}
	if w.file != nil {
		if err := w.file.Close(); w.err == nil {
			w.err = err
		}
	}
	return w.err
}
