package wal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
)

func options(fs vfs.FS) Options {
	return Options{FS: fs, Dir: "wal", FileSize: 8 << 10, Fatal: func(err error) { panic("FATAL: " + err.Error()) }}
}

// open opens the log and returns the payloads that it replays.
func open(t testing.TB, o Options) (*WAL, []string) {
	t.Helper()
	var got []string
	w, err := Open(o, func(e Entry) error {
		got = append(got, string(e.Payload))
		return nil
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return w, got
}

func add(t testing.TB, w *WAL, payload string, lazy bool) Reservation {
	t.Helper()
	r, err := w.Reserve(Request{Type: FirstUserType, Size: len(payload), Lazy: lazy})
	if err != nil {
		t.Fatalf("reserve: %v", err)
	}
	copy(r.Payload, payload)
	r.Commit()
	return r
}

func addSync(t testing.TB, w *WAL, payload string) uint64 {
	t.Helper()
	r := add(t, w, payload, false)
	<-r.Group.Done()
	if err := r.Group.Err(); err != nil {
		t.Fatalf("group: %v", err)
	}
	return r.LSN
}

func payload(i int) string { return fmt.Sprintf("record %d %s", i, strings.Repeat("z", i*13%300)) }

func TestReplayInOrder(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := open(t, options(fs))
	var want []string
	for i := range 200 {
		addSync(t, w, payload(i))
		want = append(want, payload(i))
	}
	if n := w.FilesInUse(); n < 4 {
		t.Errorf("%d files in use, want several", n)
	}
	crashed, got := open(t, options(fs.Crash(nil)))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("replayed %d records, want %d", len(got), len(want))
	}
	crashed.Close()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w, got = open(t, options(fs))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("replayed %d records, want %d", len(got), len(want))
		}
		w.Close()
	}
}

func TestCheckpointAndFree(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := open(t, options(fs))
	for round := range 20 {
		var lsn uint64
		for i := range 50 {
			lsn = addSync(t, w, payload(i))
		}
		g, err := w.Checkpoint(lsn)
		if err != nil {
			t.Fatal(err)
		}
		<-g.Done()
		if err := w.Free(lsn); err != nil {
			t.Fatal(err)
		}
		if n := w.FilesInUse(); n > 2 {
			t.Errorf("round %d: %d files in use after Free", round, n)
		}
	}
	if used := fs.Used(); used > 6*8<<10 {
		t.Errorf("%d bytes used: files are not recycled", used)
	}
	last := addSync(t, w, "after")
	crashed, got := open(t, options(fs.Crash(nil)))
	if !reflect.DeepEqual(got, []string{"after"}) {
		t.Errorf("replayed %d records, want the one after the checkpoint", len(got))
	}
	if next := crashed.NextLSN(); next <= last {
		t.Errorf("LSN went back to %d from %d", next, last)
	}
	crashed.Close()
	w.Close()
}

// corrupt flips a bit of the n-th place where text stands in the log's files.
func corruptAt(t *testing.T, fs *vfs.Mem, text string) {
	t.Helper()
	names, _ := fs.ReadDir("wal")
	for _, name := range names {
		b, _ := vfs.ReadFile(fs, "wal/"+name)
		if i := strings.Index(string(b), text); i >= 0 {
			f, _ := fs.Open("wal/" + name)
			f.WriteAt([]byte{b[i] ^ 1}, int64(i))
			return
		}
	}
	t.Fatalf("%q is in no file", text)
}

func TestRotBelowAMarkIsDamage(t *testing.T) {
	for _, victim := range []int{0, 20, 98} {
		fs := vfs.NewMem()
		w, _ := open(t, options(fs))
		for i := range 100 {
			addSync(t, w, payload(i))
		}
		image := fs.Crash(nil)
		w.Close()
		corruptAt(t, image, fmt.Sprintf("record %d ", victim))
		_, err := Open(options(image), func(Entry) error { return nil })
		if e, ok := usererr.As(err); !ok || e.Code != "CORRUPT_WAL" || !strings.Contains(e.Where, "wal-") {
			t.Errorf("record %d damaged: %v", victim, err)
		}
	}
}

func TestTornTailIsCut(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := open(t, options(fs))
	var want []string
	for i := range 10 {
		addSync(t, w, payload(i))
		want = append(want, payload(i))
	}
	image := fs.Crash(nil) // no mark speaks of the last record yet
	w.Close()
	corruptAt(t, image, "record 9 ")
	w, got := open(t, options(image))
	if !reflect.DeepEqual(got, want[:9]) {
		t.Errorf("replayed %d records, want 9", len(got))
	}
	addSync(t, w, "new")
	again := image.Crash(nil)
	w.Close()
	w, got = open(t, options(again))
	if !reflect.DeepEqual(got, append(want[:9:9], "new")) {
		t.Errorf("after the cut, replayed %q", got)
	}
	w.Close()
}

func TestDamagedFileHeader(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := open(t, options(fs))
	for i := range 10 {
		addSync(t, w, payload(i))
	}
	image := fs.Crash(nil)
	w.Close()
	names, _ := image.ReadDir("wal")
	f, _ := image.Open("wal/" + names[0])
	f.WriteAt([]byte{0xee}, 9)
	if _, err := Open(options(image), func(Entry) error { return nil }); err == nil {
		t.Error("a log whose only file has a damaged header was taken for empty")
	}
}

// TestGroups holds a sync and checks that what queues meanwhile goes with the next one.
func TestGroups(t *testing.T) {
	mem := vfs.NewMem()
	var syncs atomic.Int32
	gate := make(chan struct{})
	var hold atomic.Bool
	w, _ := open(t, options(&vfs.Fault{FS: mem, Hook: func(op vfs.Op, name string) error {
		if op == vfs.OpSync && hold.Load() {
			syncs.Add(1)
			<-gate
		}
		return nil
	}}))
	hold.Store(true)
	first := add(t, w, "first", false)
	for syncs.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	var rest []Reservation
	for i := range 20 {
		rest = append(rest, add(t, w, payload(i%3), false))
	}
	select {
	case <-first.Group.Done():
		t.Fatal("done before its sync")
	default:
	}
	hold.Store(false)
	gate <- struct{}{}
	for _, r := range rest {
		if r.Group != rest[0].Group || r.Group == first.Group {
			t.Fatal("what queued during a sync is not one group")
		}
		<-r.Group.Done()
	}
	w.Close()
}

func TestLazyRecordsWaitForCompany(t *testing.T) {
	o := options(vfs.NewMem())
	o.LazyDelay = time.Hour
	w, _ := open(t, o)
	r := add(t, w, "lazy", true)
	select {
	case <-r.Group.Done():
		t.Fatal("a lazy record was synced alone")
	case <-time.After(20 * time.Millisecond):
	}
	addSync(t, w, "urgent")
	select {
	case <-r.Group.Done():
	default:
		t.Error("the lazy record did not go along")
	}
	w.Close()

	o.LazyDelay = time.Millisecond
	w, _ = open(t, o)
	select {
	case <-add(t, w, "lazy", true).Group.Done():
	case <-time.After(10 * time.Second):
		t.Error("a lazy record was never synced")
	}
	w.Close()
}

type collector struct {
	mu   sync.Mutex
	seen []int64
}

func (c *collector) Committed(token int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, token)
}

func TestCommittersAreToldInOrder(t *testing.T) {
	for _, o := range []Options{{}, {SyncEach: true}, {Async: true}} {
		full := options(vfs.NewMem())
		full.SyncEach, full.Async = o.SyncEach, o.Async
		w, _ := open(t, full)
		c := &collector{}
		var wg sync.WaitGroup
		var mu sync.Mutex
		next := int64(0)
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 200 {
					mu.Lock()
					r, err := w.Reserve(Request{Type: FirstUserType, Size: 30, To: c, Token: next})
					next++
					mu.Unlock()
					if err != nil {
						t.Error(err)
						return
					}
					r.Commit()
					<-r.Group.Done()
				}
			}()
		}
		wg.Wait()
		for i, token := range c.seen {
			if token != int64(i) {
				t.Fatalf("%+v: token %d at %d", o, token, i)
			}
		}
		if len(c.seen) != 800 {
			t.Errorf("%+v: %d tokens", o, len(c.seen))
		}
		w.Close()
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	fs := vfs.NewMem()
	w, _ := open(t, options(fs))
	addSync(t, w, "first")
	fs.SetCapacity(fs.Used())
	var err error
	n := 1
	for ; err == nil && n < 1000; n++ {
		var r Reservation
		if r, err = w.Reserve(Request{Type: FirstUserType, Size: 100}); err == nil {
			r.Commit()
			<-r.Group.Done()
		}
	}
	if !vfs.IsDiskFull(err) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("after %d records: %v", n, err)
	}
	fs.SetCapacity(0)
	addSync(t, w, "with room again")
	image := fs.Crash(nil)
	w.Close()
	w, got := open(t, options(image))
	if len(got) != n || got[n-1] != "with room again" {
		t.Errorf("replayed %d records, want %d", len(got), n)
	}
	w.Close()
}

func TestTooLarge(t *testing.T) {
	w, _ := open(t, options(vfs.NewMem()))
	defer w.Close()
	if _, err := w.Reserve(Request{Type: FirstUserType, Size: 8 << 10}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	addSync(t, w, strings.Repeat("x", 8<<10-fileHeader-2*markSize-recordHead))
}

// TestDocumentedExample checks the bytes of docs/format/wal.md.
func TestDocumentedExample(t *testing.T) {
	b := make([]byte, markSize)
	putMark(b, typeMark, 0x01020304, 1_700_000_000_000, 7, 6)
	const want = "08000000" + "59581f43" + "01000000" + "04030201" + "0068e5cf8b010000" + "0700000000000000" + "0600000000000000"
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func FuzzReplay(f *testing.F) {
	fs := vfs.NewMem()
	w, _ := open(f, options(fs))
	for i := range 3 {
		addSync(f, w, payload(i))
	}
	w.Close()
	names, _ := fs.ReadDir("wal")
	b, _ := vfs.ReadFile(fs, "wal/"+names[0])
	f.Add(b[:600])
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		fs := vfs.NewMem()
		fs.MkdirAll("wal")
		file, _ := fs.Create("wal/" + fileName(1))
		file.WriteAt(data, 0)
		w, err := Open(options(fs), func(Entry) error { return nil })
		if err != nil {
			return
		}
		addSync(t, w, "goes on")
		w.Close()
		w, got := open(t, options(fs))
		if len(got) == 0 || got[len(got)-1] != "goes on" {
			t.Fatal("a record written after the replay is lost")
		}
		w.Close()
	})
}

// BenchmarkGroupCommit has 64 writers of 1 KiB, each waiting for its own record, on the real disk.
func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			o := options(vfs.OS)
			o.Dir, o.FileSize = b.TempDir(), 64<<20
			w, _ := open(b, o)
			defer w.Close()
			var left atomic.Int64
			left.Store(int64(b.N))
			b.SetBytes(1024)
			b.ResetTimer()
			var wg sync.WaitGroup
			for range writers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for left.Add(-1) >= 0 {
						r, err := w.Reserve(Request{Type: FirstUserType, Size: 1024})
						if err != nil {
							b.Error(err)
							return
						}
						r.Commit()
						<-r.Group.Done()
						if w.FilesInUse() > 3 {
							w.Free(w.DurableLSN() - 1)
						}
					}
				}()
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acks/s")
		})
	}
}
