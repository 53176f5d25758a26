package wal

import (
	"runtime"
	"testing"

	"github.com/streamflow/streamflow/internal/vfs"
)

// emptyRun is a file of a size that holds a header and nothing else.
func emptyRun(t testing.TB, size int64) *run {
	t.Helper()
	f, err := newFile(vfs.NewMem(), ".", 1, size, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &run{f: f}
}

// Marks tell damage from a torn tail wherever they stand: also across the borders of the windows that a file is read in.
func TestMarksBehindDamageAreFound(t *testing.T) {
	const size = 2*windowSize + 4096
	places := []int64{fileHeader, windowSize - 8, windowSize, windowSize + 32, windowSize + fileHeader - 8, windowSize + fileHeader, size - markSize}
	for _, at := range places {
		r := emptyRun(t, size)
		b := make([]byte, markSize)
		putMark(b, typeMark, r.f.salt, 1, 7, uint64(at)+1)
		if _, err := r.f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
		durable, err := r.durableBehind()
		if err != nil || durable != uint64(at)+1 {
			t.Errorf("mark at %d: durable %d, %v", at, durable, err)
		}
		b[recordHead]++ // the CRC does not fit any more
		if _, err := r.f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
		if durable, _ := r.durableBehind(); durable != 0 {
			t.Errorf("damaged mark at %d: durable %d", at, durable)
		}
	}
}

// BenchmarkMarks is what a start after a crash pays for each file of 64 MiB.
func BenchmarkMarks(b *testing.B) {
	r := emptyRun(b, defaultFileSize)
	b.SetBytes(defaultFileSize)
	for b.Loop() {
		if _, err := r.durableBehind(); err != nil {
			b.Fatal(err)
		}
	}
}

// The mark of the idle writer comes after the close record more often than not; the log was closed all the same, and the
// next start need not look through the rest of the file.
func TestClosedBeforeTheLastMark(t *testing.T) {
	o := options(vfs.NewMem())
	w, _ := open(t, o)
	lsn := addSync(t, w, "x")
	g, err := w.MarkClosed(lsn)
	if err != nil {
		t.Fatal(err)
	}
	<-g.Done()
	for marked := false; !marked; runtime.Gosched() {
		w.mu.Lock()
		marked = w.marked
		w.mu.Unlock()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	runs, err := openRuns(o)
	if err != nil || len(runs) != 1 || !runs[0].closed {
		t.Fatalf("runs %+v, %v: want one that is closed", runs, err)
	}
	runs[0].f.Close()
}
