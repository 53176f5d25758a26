package logstore

import (
	"runtime"
	"testing"

	"github.com/streamflow/streamflow/internal/vfs"
)

// TestIdlePartitionIsSmall holds a thousand partitions that were written to and then left alone.
func TestIdlePartitionIsSmall(t *testing.T) {
	l := mustOpen(t, Options{Dir: t.TempDir(), FS: vfs.OS, Logger: quiet})
	defer mustClose(t, l)
	const n = 1000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	parts := make([]*Partition, n)
	for i := range parts {
		var err error
		if parts[i], err = l.EnsurePartition(TopicPartition{Topic: "t", Partition: int32(i)}, PartitionConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for _, p := range parts[:50] { // flushing creates files; fifty are enough to see their cost
			p.Append(AppendRequest{Data: newSender(1, 0, false).batch(t, "x")})
		}
	}
	for _, p := range parts[:50] {
		mustAppend(t, p, batchOf(t, 1, "y"))
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
	}
	if per := (int64(heap()) - int64(before)) / n; per > 8<<10 {
		t.Errorf("a partition takes %d bytes, want at most 8 KiB", per)
	}
	runtime.KeepAlive(parts)
}
