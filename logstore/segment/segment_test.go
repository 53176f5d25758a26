package segment

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

const now = 1_700_000_000_000

func batch(t testing.TB, base, ts int64, n, size int) record.Batch {
	b := record.NewBuilder(record.None)
	for i := range n {
		b.Add(ts+int64(i), nil, bytes.Repeat([]byte{byte(base)}, size))
	}
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	out.SetBaseOffset(base)
	return out
}

// filled makes a segment at offset 100 with n batches of three records, times 1000, 1010, 1020…
func filled(t testing.TB, fs vfs.FS, n int) (*Segment, []record.Batch) {
	fs.MkdirAll("d")
	s, err := Create(fs, "d", 100, 512, now)
	if err != nil {
		t.Fatal(err)
	}
	var all []record.Batch
	for i := range n {
		all = append(all, batch(t, int64(100+3*i), int64(1000+10*i), 3, i*17%300))
	}
	if err := s.Append(all, now); err != nil {
		t.Fatal(err)
	}
	return s, all
}

func TestReadFromEveryOffset(t *testing.T) {
	fs := vfs.NewMem()
	s, all := filled(t, fs, 200)
	check := func(when string, s *Segment) {
		t.Helper()
		for off := int64(100); off < 700; off++ {
			want := all[(off-100)/3]
			for _, maxBytes := range []int{1, 700, 1 << 20} {
				buf, err := s.Read(off, NoLimit, maxBytes)
				if err != nil || !bytes.HasPrefix(buf.B, want) {
					t.Fatalf("%s: read at %d: %v", when, off, err)
				}
				if len(buf.B) > max(maxBytes, len(want)) {
					t.Fatalf("%s: read at %d gives %d bytes, at most %d", when, off, len(buf.B), maxBytes)
				}
				buf.Release()
			}
		}
		buf, err := s.Read(130, 160, 1<<20)
		if want := bytes.Join([][]byte{all[10], all[11], all[12], all[13], all[14], all[15], all[16], all[17], all[18], all[19]}, nil); err != nil || !bytes.Equal(buf.B, want) {
			t.Errorf("%s: read of 130 to 160: %v", when, err)
		}
		if buf, err := s.Read(700, NoLimit, 1); buf != nil || err != nil {
			t.Errorf("%s: read at the end: %v, %v", when, buf, err)
		}
	}
	check("active", s)
	if err := s.Rest(); err != nil || s.points != nil {
		t.Fatalf("rest: %v, %d points in memory", err, len(s.points))
	}
	check("at rest", s)
	s.Close()
	for _, lost := range []string{"", ".index", ".timeindex"} {
		if lost != "" {
			fs.Remove("d/" + Name(100, lost))
		}
		s, err := Open(fs, "d", 100, 512, NoLimit, now)
		if err != nil {
			t.Fatal(err)
		}
		check("opened without "+lost, s)
		s.Close()
	}
}

func TestOpenCutsBehindTheLimit(t *testing.T) {
	fs := vfs.NewMem()
	s, all := filled(t, fs, 50)
	s.Close()
	f, _ := fs.Open("d/" + Name(100, LogExt))
	size, _ := f.Size()
	f.WriteAt([]byte("garbage of a crash"), size-40)
	if _, err := Open(fs, "d", 100, 512, NoLimit, now); err == nil {
		t.Error("garbage was accepted")
	} else if e, ok := usererr.As(err); !ok || e.Code != "CORRUPT_SEGMENT" {
		t.Errorf("garbage: %v", err)
	}
	s, err := Open(fs, "d", 100, 512, 130, now)
	if err != nil {
		t.Fatal(err)
	}
	if sum := s.Summary(); sum.Next != 130 || sum.Records != 30 {
		t.Errorf("after the cut: %+v", sum)
	}
	if err := s.Append(all[10:], now); err != nil {
		t.Fatal(err)
	}
	buf, err := s.Read(130, NoLimit, 1<<20)
	if err != nil || !bytes.Equal(buf.B[:len(all[10])], all[10]) {
		t.Errorf("read of what was written again: %v", err)
	}
	s.Close()
}

func TestScanTimeStartsClose(t *testing.T) {
	s, _ := filled(t, vfs.NewMem(), 200)
	for _, ms := range []int64{0, 1000, 1500, 2990, 9999} {
		steps, found := 0, int64(-1)
		err := s.ScanTime(ms, func(_ int64, b record.Batch) (bool, error) {
			steps++
			if b.MaxTimestamp() >= ms {
				found = b.BaseOffset()
				return false, nil
			}
			return true, nil
		})
		want := 100 + 3*max((ms-1002+9)/10, 0)
		if ms > 2992 {
			want = -1
		}
		if err != nil || found != want || steps > 16 {
			t.Errorf("time %d: batch at %d after %d steps, want %d; %v", ms, found, steps, want, err)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	fs := vfs.NewMem()
	s, all := filled(t, fs, 20)
	f, _ := fs.Open("d/" + Name(100, LogExt))
	at := int64(len(all[0]) + len(all[1]))
	f.WriteAt([]byte{0xff}, at+40)
	_, err := s.Read(106, NoLimit, 1<<20)
	if e, ok := usererr.As(err); !ok || e.Code != "CORRUPT_SEGMENT" || !strings.HasSuffix(e.Where, fmt.Sprintf(".log at byte %d", at)) {
		t.Errorf("got %v, want damage at byte %d", err, at)
	}
	if _, err := s.Read(109, NoLimit, 1<<20); err != nil {
		t.Errorf("a batch behind the damage: %v", err)
	}
}

func TestReadsOutliveRemoval(t *testing.T) {
	s, _ := filled(t, vfs.NewMem(), 20)
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(100, NoLimit, 1); err != ErrClosed {
		t.Errorf("read after removal: %v", err)
	}
}

// TestDocumentedExample checks the bytes of docs/format/segment.md.
func TestDocumentedExample(t *testing.T) {
	sum := Summary{Base: 100, Next: 106, Bytes: 900, Records: 6, MaxTimestamp: 2000, MaxOffset: 103, Created: 3000, Appended: 4000}
	x := index{{rel: 0, pos: 0, before: noTimestamp}, {rel: 3, pos: 600, before: 1500}}
	const wantIndex = "5346494458000001" + "6400000000000000" + "6a00000000000000" + "8403000000000000" + "0600000000000000" +
		"d007000000000000" + "6700000000000000" + "b80b000000000000" + "a00f000000000000" + "0200000000000000" +
		"0000000000000000" + "0300000058020000"
	const wantTime = "5346544958000001" + "6400000000000000" + "8403000000000000" + "0200000000000000" +
		"000000000000008000000000" + "dc0500000000000003000000"
	b, tb := encodeIndex(sum, x), encodeTimeIndex(sum, x)
	if got := hex.EncodeToString(b[:len(b)-4]); got != wantIndex {
		t.Errorf("index\n got %s\nwant %s", got, wantIndex)
	}
	if got := hex.EncodeToString(tb[:len(tb)-4]); got != wantTime {
		t.Errorf("time index\n got %s\nwant %s", got, wantTime)
	}
	gotSum, gotX, err := decodeIndex(b)
	if err == nil {
		err = joinTimeIndex(tb, gotSum, gotX)
	}
	if err != nil || gotSum != sum || fmt.Sprint(gotX) != fmt.Sprint(x) {
		t.Errorf("decoded %+v %v, %v", gotSum, gotX, err)
	}
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 1
		if _, _, err := decodeIndex(bad); err == nil {
			t.Errorf("a flipped bit in byte %d of an index passes", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	fs := vfs.NewMem()
	s, _ := filled(f, fs, 5)
	s.Rest()
	var files [3][]byte
	for i, ext := range []string{LogExt, IndexExt, TimeIndexExt} {
		files[i], _ = vfs.ReadFile(fs, "d/"+Name(100, ext))
	}
	f.Add(files[0], files[1], files[2])
	f.Fuzz(func(t *testing.T, log, index, times []byte) {
		fs := vfs.NewMem()
		fs.MkdirAll("d")
		vfs.WriteFile(fs, "d/"+Name(100, LogExt), log)
		vfs.WriteFile(fs, "d/"+Name(100, IndexExt), index)
		vfs.WriteFile(fs, "d/"+Name(100, TimeIndexExt), times)
		s, err := Open(fs, "d", 100, 512, NoLimit, now)
		if err != nil {
			return
		}
		s.Read(100, NoLimit, 1<<20)
		s.ScanTime(1010, func(int64, record.Batch) (bool, error) { return true, nil })
		s.Close()
	})
}

func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	s, err := Create(vfs.OS, dir, 0, 16<<10, now)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var all []record.Batch
	for i := range 4000 {
		all = append(all, batch(b, int64(i*16), int64(i), 16, 1000))
	}
	if err := s.Append(all, now); err != nil {
		b.Fatal(err)
	}
	var bytes, at int64
	for b.Loop() {
		buf, err := s.Read(at, NoLimit, 1<<20)
		if err != nil {
			b.Fatal(err)
		}
		bytes += int64(len(buf.B))
		if at += 1000; at >= 60000 {
			at = 0
		}
		buf.Release()
	}
	b.ReportMetric(float64(bytes)/b.Elapsed().Seconds()/1e6, "MB/s")
}
