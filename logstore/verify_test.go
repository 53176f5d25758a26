package logstore

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
)

func TestVerify(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	for _, topic := range []string{"a", "b"} {
		p := mustEnsure(t, l, topic, smallConfig())
		for i := range 200 {
			mustAppend(t, p, batchOf(t, int64(i), value(topic, i)))
		}
	}
	mustClose(t, l)
	r, err := Verify(small(fs))
	if err != nil || len(r.Damage) != 0 || r.Partitions != 2 || r.Records != 400 || r.Batches != 400 || r.Reindexed != 0 {
		t.Fatalf("sound directory: %+v, %v", r, err)
	}
	first := "data/topics/a/0/00000000000000000000"
	rewriteIndex(t, fs, first)
	if r, err = Verify(small(fs)); err != nil || len(r.Damage) != 0 || r.Reindexed != 1 {
		t.Errorf("index that disagrees: %+v, %v", r, err)
	}
	if r, err = Verify(small(fs)); err != nil || r.Reindexed != 0 {
		t.Errorf("after the repair: %+v, %v", r, err)
	}
	f, _ := fs.Open(first + ".log")
	f.WriteAt([]byte{0xff}, 3000)
	r, err = Verify(small(fs))
	if err != nil || len(r.Damage) != 1 {
		t.Fatalf("damaged segment: %+v, %v", r, err)
	}
	if e, ok := usererr.As(r.Damage[0]); !ok || e.Code != "CORRUPT_SEGMENT" || !strings.HasPrefix(e.Where, first+".log at byte ") {
		t.Errorf("damage: %v", r.Damage[0])
	}
}

// rewriteIndex gives a segment the sound index of a lie: entries moved by a byte, CRCs made good.
func rewriteIndex(t *testing.T, fs vfs.FS, base string) {
	t.Helper()
	b, err := vfs.ReadFile(fs, base+".index")
	if err != nil {
		t.Fatal(err)
	}
	b[80+8+4]++ // position of the second entry
	resealForTest(b)
	if err := vfs.WriteFile(fs, base+".index", b); err != nil {
		t.Fatal(err)
	}
}

func resealForTest(b []byte) {
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
}
