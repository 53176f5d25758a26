package logstore

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
)

// many makes partitions that were all written to, and puts them into segments.
func many(t testing.TB, l *Log, n int) {
	t.Helper()
	var last *Pending
	for i := range n {
		p, err := l.EnsurePartition(TopicPartition{Topic: "t", Partition: int32(i)}, PartitionConfig{})
		if err != nil {
			t.Fatal(err)
		}
		last = p.Append(AppendRequest{Data: batchOf(t, int64(i), fmt.Sprintf("partition %d", i))})
		if _, err := last.Result(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := wait(last); err != nil {
		t.Fatal(err)
	}
}

func heapAlloc() int64 {
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// filesOpen is how many files the process has open, or -1 where that cannot be told.
func filesOpen() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(list)
}

// unsynced is the machine's file system without its syncs, which are not what is looked at here.
type unsynced struct{ vfs.FS }

type unsyncedFile struct{ vfs.File }

func (unsynced) SyncDir(string) error     { return nil }
func (unsyncedFile) Sync() error          { return nil }
func (unsyncedFile) Allocate(int64) error { return nil }

func (u unsynced) Create(name string) (vfs.File, error) {
	f, err := u.FS.Create(name)
	return unsyncedFile{f}, err
}

func (u unsynced) Open(name string) (vfs.File, error) {
	f, err := u.FS.Open(name)
	return unsyncedFile{f}, err
}

// manyCost opens a log of n partitions, all with segments, and tells what they cost while they are idle.
func manyCost(t testing.TB, n, openFiles int) (perPartition int64, opened time.Duration, files, goroutines int) {
	t.Helper()
	o := Options{Dir: t.TempDir(), FS: unsynced{vfs.OS}, Logger: quiet, OpenFiles: openFiles}
	l := mustOpen(t, o)
	many(t, l, n)
	mustClose(t, l)
	heap, fds, running := heapAlloc(), filesOpen(), runtime.NumGoroutine()
	began := time.Now()
	l = mustOpen(t, o)
	parts := make([]*Partition, n)
	for i := range parts {
		var err error
		if parts[i], err = l.EnsurePartition(TopicPartition{Topic: "t", Partition: int32(i)}, PartitionConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	opened = time.Since(began)
	for i, p := range parts { // each is read, and some are written: none stays big
		res, err := p.Read(0, 1<<20, false)
		if err != nil || len(res.Data) == 0 {
			t.Fatalf("partition %d: %v", i, err)
		}
		res.Release()
		if i%100 == 0 {
			mustAppend(t, p, batchOf(t, 1, "more"))
		}
	}
	if err := l.flushDirty(); err != nil {
		t.Fatal(err)
	}
	if err := l.checkpoint(false); err != nil {
		t.Fatal(err)
	}
	perPartition = (heapAlloc() - heap) / int64(n)
	files, goroutines = filesOpen()-fds, runtime.NumGoroutine()-running
	runtime.KeepAlive(parts)
	mustClose(t, l)
	return perPartition, opened, files, goroutines
}

// TestManyPartitions: an idle partition takes little memory, no goroutine, and no open file beyond the limit.
func TestManyPartitions(t *testing.T) {
	const n, openFiles = 1000, 100
	per, opened, files, goroutines := manyCost(t, n, openFiles)
	t.Logf("%d partitions: %d bytes each, opened in %v, %d files, %d goroutines", n, per, opened, files, goroutines)
	if per > 16<<10 {
		t.Errorf("an idle partition takes %d bytes, want at most 16 KiB", per)
	}
	if files > openFiles+20 {
		t.Errorf("%d files are open, want at most %d segments and a few more", files, openFiles)
	}
	if goroutines > 10 {
		t.Errorf("%d goroutines for %d partitions", goroutines, n)
	}
}

// BenchmarkManyPartitions is what ten thousand partitions of a node cost.
func BenchmarkManyPartitions(b *testing.B) {
	for b.Loop() {
		per, opened, files, _ := manyCost(b, 10_000, 4096)
		b.ReportMetric(float64(per), "B/partition")
		b.ReportMetric(opened.Seconds(), "open-s")
		b.ReportMetric(float64(files), "files")
	}
}
