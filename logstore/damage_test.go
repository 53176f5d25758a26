package logstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestDamagedPartitionIsOffline damages a segment that the write-ahead log goes on from. The node opens, everything else works,
// and what was acknowledged comes back when the segment is restored, or all but the damaged record when it is given up.
func TestDamagedPartitionIsOffline(t *testing.T) {
	for _, restore := range []bool{true, false} {
		crashed := verified(t, true)
		d := place{t, crashed}
		before := func() []string {
			copied := filepath.Join(t.TempDir(), "log")
			if err := os.CopyFS(copied, os.DirFS(crashed)); err != nil {
				t.Fatal(err)
			}
			l := mustOpen(t, Options{Dir: copied, Logger: quiet})
			defer mustClose(t, l)
			return values(t, mustEnsure(t, l, "plain", PartitionConfig{}), true)
		}()
		for _, ext := range []string{".index", ".timeindex"} { // so that the damage is met when the segment is opened
			os.Remove(d.nth("plain", ext, -2))
		}
		file := d.nth("plain", ".log", -2)
		sound, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.flip(file, 100)
		for range 2 { // a second start has no write-ahead log to look at
			l := mustOpen(t, Options{Dir: crashed, Logger: quiet, KeepDamaged: true})
			p := mustEnsure(t, l, "plain", PartitionConfig{})
			if err := p.Damaged(); err == nil || !strings.Contains(err.Error(), file) {
				t.Fatalf("damaged: %v", err)
			}
			if _, err := p.Read(20, 1, false); !errors.Is(err, ErrDamaged) {
				t.Errorf("read: %v", err)
			}
			if _, err := wait(p.Append(AppendRequest{Data: batchOf(t, 1, "x")})); !errors.Is(err, ErrDamaged) {
				t.Errorf("append: %v", err)
			}
			if got := asMap(t, mustEnsure(t, l, "compacted", compactConfig())); len(got) != 12 {
				t.Errorf("the other partition: %v", got)
			}
			mustClose(t, l)
		}
		if restore {
			if err := os.WriteFile(file, sound, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if r := mustVerify(t, VerifyOptions{Dir: crashed, Repair: true, Quarantine: true}); !r.Sound() {
			t.Fatalf("quarantine: %+v", r.Findings)
		}
		l := mustOpen(t, Options{Dir: crashed, Logger: quiet, KeepDamaged: true})
		p := mustEnsure(t, l, "plain", PartitionConfig{})
		if err := p.Damaged(); err != nil {
			t.Fatal(err)
		}
		got := values(t, p, true)
		if !restore {
			if len(got) != len(before)-1 {
				t.Fatalf("%d records, then %d without the damaged one", len(before), len(got))
			}
		} else if !reflect.DeepEqual(got, before) {
			t.Errorf("%d records, want %d", len(got), len(before))
		}
		if names, _ := filepath.Glob(filepath.Join(crashed, "topics/plain/0/*"+parkedExt)); len(names) != 0 {
			t.Errorf("still parked: %v", names)
		}
		mustAppend(t, p, batchOf(t, 1, "goes on"))
		mustClose(t, l)
	}
}

// TestDamagedReadNamesThePlace: whoever reads damaged bytes is told which file it is, and at which byte and offset.
func TestDamagedReadNamesThePlace(t *testing.T) {
	dir := verified(t, false)
	d := place{t, dir}
	file := d.flipValue(d.nth("plain", ".log", 2))
	l := mustOpen(t, Options{Dir: dir, Logger: quiet})
	defer mustClose(t, l)
	p := mustEnsure(t, l, "plain", PartitionConfig{})
	var damage *DamageError
	for at := int64(5); at < p.Offsets().End; {
		res, err := p.Read(at, 100, false)
		if errors.As(err, &damage) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for data := res.Data; len(data) > 0; {
			b, rest, err := record.Next(data)
			if err != nil {
				t.Fatal(err)
			}
			at, data = b.LastOffset()+1, rest
		}
	}
	if damage == nil {
		t.Fatal("nothing was damaged")
	}
	if e, ok := usererr.As(damage); !ok || e.Code != "CORRUPT_SEGMENT" || damage.File != file || damage.Byte < 0 || damage.Byte > 3000 || damage.Offset < 60 {
		t.Errorf("%+v: %v", damage, damage)
	}
	if !strings.Contains(fmt.Sprint(damage), file) {
		t.Errorf("text: %v", damage)
	}
}

// TestScrub: rot in a sealed segment is found by nobody's read.
func TestScrub(t *testing.T) {
	dir := verified(t, false)
	told := make(chan error, 1)
	l := mustOpen(t, Options{Dir: dir, Logger: quiet, OnDamage: func(_ *Partition, why error) { told <- why }})
	defer mustClose(t, l)
	p := mustEnsure(t, l, "plain", PartitionConfig{})
	p.scrub()
	if s := l.Stats(); s.DamagedReads != 0 || s.ScrubbedBytes < 5000 {
		t.Errorf("sound: %+v", s)
	}
	d := place{t, dir}
	file := d.flipValue(d.nth("plain", ".log", 2))
	p.scrub()
	if s := l.Stats(); s.DamagedReads != 1 || s.Damaged != 0 {
		t.Errorf("damaged, and the only replica: %+v", s)
	}
	ops, err := ReadAudit(l.o.FS, dir, func(BadLine) {})
	if n := len(ops); err != nil || ops[n-1].Op != "damage" || !strings.Contains(ops[n-1].Detail, file) {
		t.Errorf("audit: %+v, %v", ops, err)
	}
	if err := p.Lead(Leadership{Epoch: 1, Self: 1, Replicas: []int32{1, 2}, ISR: []int32{1, 2}, MinISR: 1}); err != nil {
		t.Fatal(err)
	}
	p.scrub()
	if err := <-told; !errors.Is(err, ErrDamaged) || p.Damaged() == nil {
		t.Errorf("a replica of two: %v", err)
	}
}

// flipValue flips a bit within a record's value.
func (d place) flipValue(file string) string {
	return d.edit(file, func(b []byte) []byte {
		b[bytes.Index(b, []byte("plain-"))+30] ^= 1
		return b
	})
}
