package savepoint

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/tier"
)

// model is an operator's state: by key group and key.
type model map[string]string

func (m model) entries(visit func(*Entry) error) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e := Entry{Group: int(k[0]) * 4, Bucket: -7, Key: []byte(k), Value: []byte(m[k])}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

func manifest(name string, batch int64) *Manifest {
	return &Manifest{Query: "q/1", Name: name, Created: time.Unix(1000+batch, 0).UTC(), Batch: batch, Definition: []byte("{}"), Offsets: map[string][]int64{"Scan-1": {batch}}}
}

func create(t *testing.T, s *Store, name string, batch int64, m model) Written {
	t.Helper()
	w, err := s.Create(context.Background(), manifest(name, batch), func(put func(string, bool, func(func(*Entry) error) error) error) error {
		return put("Op-1", false, m.entries)
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func contents(t *testing.T, s *Store, name string, from, to int) model {
	t.Helper()
	m, err := s.Open(context.Background(), "q/1", name)
	if err != nil {
		t.Fatal(err)
	}
	out := model{}
	err = s.Scan(context.Background(), m, "Op-1", from, to, func(e *Entry) error {
		if e.Bucket != -7 {
			t.Fatalf("bucket %d", e.Bucket)
		}
		out[string(e.Key)] = string(e.Value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// large is state of several chunks.
func large() model {
	m := model{}
	for i := range 20_000 {
		m[fmt.Sprintf("%c%06d", byte(i%256), i)] = strings.Repeat(fmt.Sprint(i), 20)
	}
	return m
}

// TestSavepointsShareChunks makes savepoints of state that changes a little: only what changed is written again, each one
// holds what it is of, and deleting one takes nothing from the others.
func TestSavepointsShareChunks(t *testing.T) {
	fs := vfs.NewMem()
	s := New(tier.NewDir(fs, "/s"))
	m := large()
	first := create(t, s, "one", 1, m)
	if first.Chunks < 4 || first.NewChunks != first.Chunks || first.Rows != int64(len(m)) {
		t.Fatalf("the first wrote %+v", first)
	}
	old := maps.Clone(m)
	for k := range m {
		m[k] = "other"
		break
	}
	second := create(t, s, "two", 2, m)
	if second.NewChunks == 0 || second.NewChunks > 2 || second.Rows != first.Rows {
		t.Errorf("the second wrote %+v, of %d chunks", second, first.Chunks)
	}
	if !maps.Equal(contents(t, s, "one", 0, 1024), old) || !maps.Equal(contents(t, s, "two", 0, 1024), m) {
		t.Error("a savepoint holds something else than it is of")
	}
	some := contents(t, s, "two", 100, 200)
	for k := range some {
		if g := int(k[0]) * 4; g < 100 || g >= 200 {
			t.Fatalf("key group %d is not of [100, 200)", g)
		}
	}
	if _, err := s.Create(context.Background(), manifest("two", 3), nil); !errors.Is(err, ErrExists) {
		t.Errorf("a second savepoint of the name: %v", err)
	}
	if err := s.Delete(context.Background(), "q/1", "one"); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(contents(t, s, "two", 0, 1024), m) {
		t.Error("deleting one took from the other")
	}
	if err := s.Delete(context.Background(), "q/1", "two"); err != nil {
		t.Fatal(err)
	}
	if left, err := s.objects.List(context.Background(), ""); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := s.Delete(context.Background(), "q/1", "two"); !errors.Is(err, tier.ErrNotFound) {
		t.Errorf("deleting what is not there: %v", err)
	}
}

func TestPruneKeepsTheYoungest(t *testing.T) {
	s := New(tier.NewDir(vfs.NewMem(), "/s"))
	for i := range int64(5) {
		create(t, s, fmt.Sprintf("auto-%d", i), i, model{"k": fmt.Sprint(i)})
	}
	create(t, s, "mine", 0, model{"k": "mine"})
	if err := s.Prune(context.Background(), "q/1", "auto-", 2); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(context.Background(), "")
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	if err != nil || !slices.Equal(names, []string{"mine", "auto-3", "auto-4"}) {
		t.Errorf("left are %v, %v", names, err)
	}
}

// TestCrashWhileCreating loses power at every operation on files: what is there afterwards is the savepoint before, whole, and
// the new one whole or not at all.
func TestCrashWhileCreating(t *testing.T) {
	mem := vfs.NewMem()
	create(t, New(tier.NewDir(mem, "/s")), "one", 1, model{"a": "1"})
	var copies []*vfs.Mem
	fault := &vfs.Fault{FS: mem, Hook: func(vfs.Op, string) error {
		copies = append(copies, mem.Crash(rand.New(rand.NewPCG(1, uint64(len(copies))))))
		return nil
	}}
	create(t, New(tier.NewDir(fault, "/s")), "two", 2, model{"a": "1", "b": "2"})
	copies = append(copies, mem.Crash(rand.New(rand.NewPCG(1, 0))))
	seen := map[int]int{}
	for i, c := range copies {
		s := New(tier.NewDir(c, "/s"))
		list, err := s.List(context.Background(), "q/1")
		if err != nil {
			t.Fatalf("crash %d: %v", i, err)
		}
		seen[len(list)]++
		if !maps.Equal(contents(t, s, "one", 0, 1024), model{"a": "1"}) {
			t.Errorf("crash %d: the first savepoint changed", i)
		}
		if len(list) == 2 && !maps.Equal(contents(t, s, "two", 0, 1024), model{"a": "1", "b": "2"}) {
			t.Errorf("crash %d: the second savepoint is not whole", i)
		}
		if len(list) == 1 {
			create(t, s, "two", 2, model{"a": "1", "b": "2"})
		}
	}
	if seen[1] == 0 || seen[2] == 0 || len(seen) != 2 {
		t.Errorf("savepoints after a crash, how often: %v", seen)
	}
}

// TestDamageIsSeen flips each byte of a chunk and of a manifest.
func TestDamageIsSeen(t *testing.T) {
	chunk := seal(appendEntry(nil, &Entry{Group: 3, Bucket: 9, Key: []byte("k"), Value: []byte("v")}))
	whole, err := manifest("one", 1).encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range chunk {
		c := slices.Clone(chunk)
		c[i] ^= 1
		if decodeChunk(c, func(*Entry) error { return nil }) == nil {
			t.Errorf("byte %d of a chunk", i)
		}
	}
	for i := range whole {
		c := slices.Clone(whole)
		c[i] ^= 1
		if _, err := decodeManifest(c); err == nil {
			t.Errorf("byte %d of a manifest", i)
		}
	}
}

// TestFormatExamples decodes the examples of docs/format/savepoint.md.
func TestFormatExamples(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "format", "savepoint.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(doc), "```hex\n")
	if len(blocks) != 3 {
		t.Fatalf("%d examples", len(blocks)-1)
	}
	chunk := hexBlock(t, blocks[1])
	want := []Entry{{Group: 512, Bucket: 60000000, Key: []byte("JFK"), Value: []byte{42}}, {Group: 513, Bucket: -1, Key: []byte("BOS"), Value: nil}}
	var made []byte
	n := 0
	err = decodeChunk(chunk, func(e *Entry) error {
		if e.Group != want[n].Group || e.Bucket != want[n].Bucket || !bytes.Equal(e.Key, want[n].Key) || !bytes.Equal(e.Value, want[n].Value) {
			t.Errorf("entry %d is %+v", n, e)
		}
		made = appendEntry(made, &want[n])
		n++
		return nil
	})
	if err != nil || n != 2 || !bytes.Equal(seal(made), chunk) {
		t.Errorf("the chunk: %v, %d entries; encoded it is %x", err, n, seal(made))
	}
	m, err := decodeManifest(hexBlock(t, blocks[2]))
	if err != nil {

		t.Fatalf("the manifest: %v", err)
	}
	if m.Query != "q" || m.Batch != 7 || m.Offsets["Scan-1"][0] != 3 {
		t.Errorf("the manifest: %+v", m)
	}
}

func hexBlock(t *testing.T, text string) []byte {
	t.Helper()
	text = text[:strings.Index(text, "```")]
	var digits strings.Builder
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "|")
		digits.WriteString(strings.ReplaceAll(line, " ", ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzDecodeChunk(f *testing.F) {
	f.Add(seal(appendEntry(nil, &Entry{Group: 3, Bucket: 9, Key: []byte("k"), Value: []byte("v")})), true)
	f.Fuzz(func(t *testing.T, b []byte, fix bool) {
		if fix && len(b) > 4 { // past the checksum
			b = seal(slices.Clone(b[:len(b)-4]))
		}
		_ = decodeChunk(b, func(*Entry) error { return nil })
	})
}

func FuzzDecodeManifest(f *testing.F) {
	b, _ := manifest("one", 1).encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeManifest(b); err == nil {
			if _, err := m.encode(); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkChunks(b *testing.B) {
	m := large()
	var size int64
	for range b.N {
		s := New(tier.NewDir(vfs.NewMem(), "/s"))
		w, err := s.Create(context.Background(), manifest("one", 1), func(put func(string, bool, func(func(*Entry) error) error) error) error {
			return put("Op-1", false, m.entries)
		})
		if err != nil {
			b.Fatal(err)
		}
		size = w.Bytes
	}
	b.SetBytes(size)
}
