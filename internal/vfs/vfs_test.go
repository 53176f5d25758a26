package vfs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"path"
	"reflect"
	"syscall"
	"testing"
)

// TestConformance holds for every implementation.
func TestConformance(t *testing.T) {
	for name, fs := range map[string]FS{"os": OS, "mem": NewMem(), "shadow": NewShadow(), "fault": &Fault{FS: NewMem(), Hook: func(Op, string) error { return nil }}} {
		t.Run(name, func(t *testing.T) {
			dir := path.Join(t.TempDir(), "a", "b")
			check := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			_, err := fs.Create(path.Join(dir, "early"))
			if !IsNotExist(err) {
				t.Errorf("create without a directory: %v", err)
			}
			check(fs.MkdirAll(dir))
			check(fs.SyncDir(dir))
			f, err := fs.Create(path.Join(dir, "x"))
			check(err)
			_, err = f.WriteAt([]byte("hello"), 3)
			check(err)
			check(f.Sync())
			if n, _ := f.Size(); n != 8 {
				t.Errorf("size %d", n)
			}
			b := make([]byte, 8)
			if n, err := f.ReadAt(b, 0); n != 8 || err != nil || string(b) != "\x00\x00\x00hello" {
				t.Errorf("read %q, %v", b[:n], err)
			}
			if n, err := f.ReadAt(b, 4); n != 4 || err == nil {
				t.Errorf("a read past the end: %d bytes, %v", n, err)
			}
			check(f.Allocate(100))
			if n, _ := f.Size(); n != 100 {
				t.Errorf("size %d after Allocate", n)
			}
			check(f.Truncate(5))
			check(f.Close())
			check(fs.Rename(path.Join(dir, "x"), path.Join(dir, "y")))
			check(WriteFile(fs, path.Join(dir, "z"), []byte("whole")))
			names, err := fs.ReadDir(dir)
			if err != nil || !reflect.DeepEqual(names, []string{"y", "z"}) {
				t.Errorf("names %v, %v", names, err)
			}
			if got, err := ReadFile(fs, path.Join(dir, "y")); err != nil || !bytes.Equal(got, []byte("\x00\x00\x00he")) {
				t.Errorf("renamed file holds %q, %v", got, err)
			}
			if _, err := fs.Open(path.Join(dir, "x")); !IsNotExist(err) {
				t.Errorf("open of the old name: %v", err)
			}
			lock, err := fs.Lock(path.Join(dir, "lock"))
			check(err)
			if _, err := fs.Lock(path.Join(dir, "lock")); !errors.Is(err, ErrLocked) {
				t.Errorf("second lock: %v", err)
			}
			check(lock.Close())
			lock, err = fs.Lock(path.Join(dir, "lock"))
			check(err)
			lock.Close()
			check(fs.RemoveAll(path.Dir(dir)))
			if names, err := fs.ReadDir(dir); err != nil || len(names) != 0 {
				t.Errorf("after RemoveAll: %v, %v", names, err)
			}
			if is, err := fs.IsDir(dir); is || err != nil {
				t.Errorf("removed directory: %v, %v", is, err)
			}
		})
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	m := NewMem()
	m.MkdirAll("d")
	m.SyncDir(".")
	f, _ := m.Create("d/f")
	f.WriteAt([]byte("synced"), 0)
	f.Sync()
	if names, _ := m.Crash(nil).ReadDir("d"); len(names) != 0 {
		t.Errorf("a name survives without SyncDir: %v", names)
	}
	m.SyncDir("d")
	f.WriteAt([]byte("UN"), 0)
	m.Create("d/g")
	m.Remove("d/f")
	c := m.Crash(nil)
	if got, err := ReadFile(c, "d/f"); err != nil || string(got) != "synced" {
		t.Errorf("after a crash: %q, %v", got, err)
	}
	if names, _ := c.ReadDir("d"); len(names) != 1 {
		t.Errorf("after a crash: %v", names)
	}
	seen := map[string]bool{}
	for seed := range uint64(50) {
		c := m.Crash(rand.New(rand.NewPCG(seed, 0)))
		names, _ := c.ReadDir("d")
		got, _ := ReadFile(c, "d/f")
		seen[string(got)+"/"+path.Join(names...)] = true
	}
	if len(seen) < 3 {
		t.Errorf("random crashes all look alike: %v", seen)
	}
}

func TestCapacity(t *testing.T) {
	m := NewMem()
	m.SetCapacity(10)
	f, _ := m.Create("f")
	if _, err := f.WriteAt(make([]byte, 10), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{1}, 10); !IsDiskFull(err) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write beyond the capacity: %v", err)
	}
	if err := f.Allocate(11); !IsDiskFull(err) {
		t.Errorf("allocate beyond the capacity: %v", err)
	}
	if _, err := f.WriteAt([]byte{1}, 3); err != nil {
		t.Errorf("overwrite on a full disk: %v", err)
	}
}

// TestShadow: the image of a crash has what was synced through the shadow, and all of what others wrote.
func TestShadow(t *testing.T) {
	root, s := t.TempDir(), NewShadow()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(WriteFile(OS, path.Join(root, "early"), []byte("there before")))
	check(s.MkdirAll(path.Join(root, "d")))
	check(s.SyncDir(root))
	f, err := s.Create(path.Join(root, "d", "f"))
	check(err)
	_, err = f.WriteAt([]byte("synced"), 0)
	check(err)
	check(f.Sync())
	check(s.SyncDir(path.Join(root, "d")))
	_, err = f.WriteAt([]byte("UN"), 0)
	check(err)
	_, err = s.Create(path.Join(root, "d", "g"))
	check(err)
	check(s.Remove(path.Join(root, "early")))
	check(WriteFile(OS, path.Join(root, "others"), []byte("whole")))
	image := t.TempDir()
	check(s.Image(nil, root, image))
	for name, want := range map[string]string{"early": "there before", "d/f": "synced", "others": "whole"} {
		if got, err := ReadFile(OS, path.Join(image, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	if names, _ := OS.ReadDir(path.Join(image, "d")); len(names) != 1 {
		t.Errorf("a name survives without SyncDir: %v", names)
	}
	s.Fill(true)
	if _, err := f.WriteAt([]byte("more"), 6); !IsDiskFull(err) {
		t.Errorf("a file grows on a full disk: %v", err)
	}
	if got, _ := ReadFile(s, path.Join(root, "d", "f")); string(got) != "UNnced" {
		t.Errorf("the file itself holds %q", got)
	}
}
