package logstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// verified makes a real data directory: a topic of several segments with producers and transactions, and a compacted one. With
// crash it is as a killed node leaves it.
func verified(t *testing.T, crash bool) string {
	t.Helper()
	dir := t.TempDir()
	o := small(vfs.OS)
	o.Dir, o.Clock, o.FlushBytes, o.CheckpointFiles, o.WALFileSize = filepath.Join(dir, "log"), startClock(), 1<<30, 1000, 1<<20
	l := mustOpen(t, o)
	p := mustEnsure(t, l, "plain", PartitionConfig{SegmentBytes: 4000, IndexInterval: 256})
	idem, txn := newSender(7, 0, false), newSender(8, 0, true)
	for i := range 60 {
		mustAppend(t, p, batchOf(t, int64(1000+i), value("plain", i)))
		mustAppend(t, p, idem.batch(t, fmt.Sprint("i", i)))
	}
	mustAppend(t, p, txn.batch(t, "t"))
	if err := p.EndTxn(8, 0, false); err != nil {
		t.Fatal(err)
	}
	c := mustEnsure(t, l, "compacted", compactConfig())
	for i := range 120 {
		mustAppend(t, c, keyed(t, record.NewBuilder(record.None), fmt.Sprintf("k%d=%d", i%12, i)))
	}
	settled(t, l)
	mustCompact(t, c)
	if _, err := p.DeleteRecords(5); err != nil {
		t.Fatal(err)
	}
	settled(t, l)
	for i := range 30 {
		mustAppend(t, p, batchOf(t, 5000, fmt.Sprintf("after the checkpoint %d", i)))
	}
	if !crash {
		mustClose(t, l)
		return o.Dir
	}
	if err := l.flushDirty(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "crashed")
	if err := os.CopyFS(to, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	mustClose(t, l)
	return to
}

func mustVerify(t *testing.T, o VerifyOptions) VerifyReport {
	t.Helper()
	r, err := Verify(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerifySound(t *testing.T) {
	for _, crash := range []bool{false, true} {
		dir := verified(t, crash)
		r := mustVerify(t, VerifyOptions{Dir: dir})
		if !r.Sound() || r.Partitions != 2 || r.Segments < 5 || r.Records < 150 {
			t.Errorf("crash %v: %+v", crash, r)
		}
		for _, f := range r.Findings {
			if !crash || f.Severity != Note {
				t.Errorf("crash %v: %+v", crash, f)
			}
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	dir := verified(t, false)
	l := mustOpen(t, Options{Dir: dir, Logger: quiet})
	_, err := Verify(VerifyOptions{Dir: dir})
	if e, ok := usererr.As(err); !ok || e.Code != "DATA_DIR_LOCKED" || !strings.Contains(e.Fix, "Stop the node") {
		t.Errorf("a live directory: %v", err)
	}
	mustClose(t, l)
	_, err = Verify(VerifyOptions{Dir: t.TempDir()})
	if e, ok := usererr.As(err); !ok || e.Code != "NO_DATA_DIR" {
		t.Errorf("no data directory: %v", err)
	}
}

// place is a data directory that is being damaged.
type place struct {
	t   *testing.T
	dir string
}

// nth is the n-th file of a topic with that extension; from the end if n is negative.
func (d place) nth(topic, ext string, n int) string {
	d.t.Helper()
	list, err := filepath.Glob(filepath.Join(d.dir, "topics", topic, "0", "*"+ext))
	if err != nil || len(list) == 0 {
		d.t.Fatalf("no %s in %s: %v", ext, topic, err)
	}
	if n < 0 {
		n += len(list)
	}
	return list[n]
}

func (d place) edit(file string, change func(b []byte) []byte) string {
	d.t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, change(b), 0o644)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return file
}

func (d place) flip(file string, at int) string {
	return d.edit(file, func(b []byte) []byte {
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 0x10
		return b
	})
}

func (d place) remove(file string) string {
	if err := os.Remove(file); err != nil {
		d.t.Fatal(err)
	}
	return file
}

func (d place) swap(a, b string) {
	for _, r := range [][2]string{{a, a + "x"}, {b, a}, {a + "x", b}} {
		if err := os.Rename(r[0], r[1]); err != nil {
			d.t.Fatal(err)
		}
	}
}

func reseal(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	return b
}

// corruptions is everything that is done to a data directory. Each names the file that Verify must name.
var corruptions = []struct {
	name     string
	crash    bool
	damage   func(d place) (file string)
	severity Severity
	says     string
	repaired bool // by --repair
	given    bool // up by --quarantine
}{
	{"bit flip in a record", false, func(d place) string { return d.flip(d.nth("plain", ".log", 1), 700) }, Damaged, "CRC", false, true},
	{"bit flip in a batch's length", false, func(d place) string { return d.flip(d.nth("plain", ".log", 1), 10) }, Damaged, "are not readable", false, true},
	{"bit flip in a base offset", false, func(d place) string { return d.flip(d.nth("plain", ".log", 1), 7) }, Damaged, "comes where", false, true},
	{"bit flip in a leader epoch", false, func(d place) string { return d.flip(d.nth("plain", ".log", 1), 15) }, Damaged, "leader epoch", false, false},
	{"sealed segment cut short", false, func(d place) string {
		return d.edit(d.nth("plain", ".log", 1), func(b []byte) []byte { return b[:len(b)-30] })
	}, Damaged, "cut short", false, true},
	{"sealed segment emptied", false, func(d place) string {
		return d.edit(d.nth("plain", ".log", 1), func(b []byte) []byte { return nil })
	}, Damaged, "A segment is missing", false, false},
	{"torn tail of the last segment", false, func(d place) string {
		return d.edit(d.nth("plain", ".log", -1), func(b []byte) []byte { return b[:len(b)-7] })
	}, Damaged, "no sound batch", true, false},
	{"garbage behind the last segment", false, func(d place) string {
		return d.edit(d.nth("plain", ".log", -1), func(b []byte) []byte { return append(b, "garbage of a crash"...) })
	}, Damaged, "no sound batch", true, false},
	{"missing segment", false, func(d place) string { return d.remove(d.nth("plain", ".log", 2)) }, Damaged, "A segment is missing", false, true},
	{"missing first segment", false, func(d place) string { return filepath.Dir(d.remove(d.nth("plain", ".log", 0))) }, Damaged, "A segment is missing", false, true},
	{"two segments swapped", false, func(d place) string {
		a, b := d.nth("plain", ".log", 1), d.nth("plain", ".log", 2)
		d.swap(a, b)
		return a
	}, Damaged, "comes where", false, false},
	{"two batches in the wrong order", false, func(d place) string {
		return d.edit(d.nth("plain", ".log", 1), func(b []byte) []byte {
			first, rest, _ := record.Next(b)
			second, rest, _ := record.Next(rest)
			return bytes.Join([][]byte{second, first, rest}, nil)
		})
	}, Damaged, "comes where", false, true},
	{"bit flip in an index", false, func(d place) string { return d.flip(d.nth("plain", ".index", 1), 90) }, Derived, "CRC", true, false},
	{"index cut short", false, func(d place) string {
		return d.edit(d.nth("plain", ".index", 1), func(b []byte) []byte { return b[:len(b)/2] })
	}, Derived, "index", true, false},
	{"missing index", false, func(d place) string { return d.remove(d.nth("plain", ".index", 0)) }, Derived, "missing", true, false},
	{"index that lies", false, func(d place) string {
		return d.edit(d.nth("plain", ".index", 1), func(b []byte) []byte { b[80+8]++; return reseal(b) })
	}, Derived, "agree", true, false},
	{"two indexes swapped", false, func(d place) string {
		a, b := d.nth("plain", ".index", 0), d.nth("plain", ".index", 1)
		d.swap(a, b)
		return a
	}, Derived, "belongs to the segment", true, false},
	{"bit flip in a time index", false, func(d place) string { return d.flip(d.nth("plain", ".timeindex", 1), 35) }, Derived, "CRC", true, false},
	{"time index that lies", false, func(d place) string {
		return d.edit(d.nth("plain", ".timeindex", 1), func(b []byte) []byte { b[32+12]++; return reseal(b) })
	}, Derived, "timestamp", true, false},
	{"index without a segment", false, func(d place) string {
		name := filepath.Join(d.dir, "topics/plain/0", segment.Name(999_999, segment.IndexExt))
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return name
	}, Derived, "not there", true, false},
	{"bit flip in a snapshot", false, func(d place) string { return d.flip(d.nth("plain", ".snapshot", -1), 30) }, Derived, "CRC", true, false},
	{"snapshot of another offset", false, func(d place) string {
		from := d.nth("plain", ".snapshot", -1)
		to := filepath.Join(filepath.Dir(from), segment.Name(3, snapshotExt))
		if err := os.Rename(from, to); err != nil {
			d.t.Fatal(err)
		}
		return to
	}, Derived, "it is of offset", true, false},
	{"snapshot that lies about a producer", false, func(d place) string {
		return d.edit(d.nth("plain", ".snapshot", -1), func(b []byte) []byte {
			s, err := decodeSnapshot(b)
			if err != nil {
				d.t.Fatal(err)
			}
			p := s.state.byID[7]
			p.batches[len(p.batches)-1].last++
			return s.encode()
		})
	}, Derived, "producer 7", true, false},
	{"snapshot with epochs in the wrong order", false, func(d place) string {
		return d.edit(d.nth("plain", ".snapshot", -1), func(b []byte) []byte {
			s, err := decodeSnapshot(b)
			if err != nil {
				d.t.Fatal(err)
			}
			s.epochs = append(s.epochs, EpochStart{Epoch: 9, Start: 50}, EpochStart{Epoch: 8, Start: 60})
			return s.encode()
		})
	}, Derived, "epoch", true, false},
	{"bit flip in an identity", false, func(d place) string { return d.flip(filepath.Join(d.dir, "topics/plain/0/partition"), 10) }, Damaged, "CRC", false, false},
	{"missing identity", false, func(d place) string { return d.remove(filepath.Join(d.dir, "topics/plain/0/partition")) }, Damaged, "missing", false, false},
	{"bit flip in a manifest", false, func(d place) string { return d.flip(d.nth("compacted", ".manifest", 0), 40) }, Derived, "CRC", true, false},
	{"compacted segment that is another", false, func(d place) string {
		return d.edit(d.nth("compacted", ".log", 0), func(b []byte) []byte {
			first, rest, _ := record.Next(b)
			return append(record.Filler(nil, first.BaseOffset(), first.LastOffset(), 7), rest...)
		})
	}, Damaged, "not the one that the compaction wrote", false, false},
	{"bit flip in the compactions' progress", false, func(d place) string { return d.flip(filepath.Join(d.dir, "topics/compacted/0/compaction"), 9) }, Derived, "CRC", true, false},
	{"bit flip in the audit", false, func(d place) string { return d.flip(filepath.Join(d.dir, auditFile), 60) }, Damaged, "Line 1", false, false},
	{"bit flip in the write-ahead log", true, func(d place) string {
		return d.edit(d.onlyWAL(), func(b []byte) []byte {
			b[bytes.Index(b, []byte("after the checkpoint 3"))] ^= 1
			return b
		})
	}, Damaged, "write-ahead log is damaged", false, false},
	{"bit flip in the header of the write-ahead log", true, func(d place) string { return d.flip(d.onlyWAL(), 9) }, Damaged, "write-ahead log is damaged", false, false},
	{"missing directory of a partition", true, func(d place) string {
		dir := filepath.Join(d.dir, "topics/plain/0")
		if err := os.RemoveAll(dir); err != nil {
			d.t.Fatal(err)
		}
		return dir
	}, Damaged, "directory is missing", false, false},
	{"foreign file", false, func(d place) string {
		name := filepath.Join(d.dir, "topics/plain/0/notes.txt")
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			d.t.Fatal(err)
		}
		return name
	}, Note, "none of ours", false, false},
}

// onlyWAL is the file of the write-ahead log that holds records.
func (d place) onlyWAL() string {
	list, _ := filepath.Glob(filepath.Join(d.dir, "wal/*.log"))
	for _, f := range list {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("after the checkpoint")) {
			return f
		}
	}
	d.t.Fatalf("no write-ahead log among %v", list)
	return ""
}

// TestVerifyFindsEachCorruption damages a data directory in each way that is listed. Each must be found, named, and repaired
// where that is promised; a repair must not lose a sound record.
func TestVerifyFindsEachCorruption(t *testing.T) {
	clean, crashed := verified(t, false), verified(t, true)
	for _, c := range corruptions {
		t.Run(c.name, func(t *testing.T) {
			from := clean
			if c.crash {
				from = crashed
			}
			d := place{t, filepath.Join(t.TempDir(), "log")}
			if err := os.CopyFS(d.dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			file := c.damage(d)
			r := mustVerify(t, VerifyOptions{Dir: d.dir})
			if r.Sound() != (c.severity == Note) || !named(r, file, c.severity, c.says) {
				t.Fatalf("not found: %s must say %q\n%+v", file, c.says, r.Findings)
			}
			before := r.Records
			r = mustVerify(t, VerifyOptions{Dir: d.dir, Repair: true})
			after := mustVerify(t, VerifyOptions{Dir: d.dir})
			if after.Records != before || after.Sound() != (c.repaired || c.severity == Note) {
				t.Fatalf("repair: %d records, then %d\n%+v\nthen %+v", before, after.Records, r.Findings, after.Findings)
			}
			if c.given {
				r = mustVerify(t, VerifyOptions{Dir: d.dir, Repair: true, Quarantine: true})
				after = mustVerify(t, VerifyOptions{Dir: d.dir})
				if !after.Sound() || after.Records < before {
					t.Fatalf("quarantine: %+v\nthen %+v", r.Findings, after.Findings)
				}
			}
			if after.Sound() {
				opens(t, d.dir)
			}
		})
	}
}

func named(r VerifyReport, file string, s Severity, says string) bool {
	for _, f := range r.Findings {
		if filepath.Clean(f.File) == filepath.Clean(file) && f.Severity == s && strings.Contains(f.What, says) && f.Fix != "" {
			return true
		}
	}
	return false
}

// opens requires that a log opens and can be read to its end.
func opens(t *testing.T, dir string) {
	t.Helper()
	l := mustOpen(t, Options{Dir: dir, Logger: quiet, WALFileSize: 1 << 20})
	for _, topic := range []string{"plain", "compacted"} {
		p := mustEnsure(t, l, topic, PartitionConfig{})
		if got := committedRecords(t, p); len(got) == 0 {
			t.Errorf("%s is empty", topic)
		}
	}
	mustClose(t, l)
}
