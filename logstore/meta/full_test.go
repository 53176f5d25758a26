//go:build linux

package meta

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk fills a small file system. Commands that find no room are refused; with room again the node goes on, with
// nothing of what it accepted lost.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	a := &journal{name: "a"}
	n, err := Open(Options{Dir: filepath.Join(dir, "meta"), Machines: []Machine{a}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	filler := filepath.Join(dir, "filler")
	fillDisk(t, filler)
	accepted, refused := 0, false
	for range 400 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := n.Apply(ctx, "a", bytes.Repeat([]byte("x"), 64<<10))
		cancel()
		if err != nil {
			refused = true
			break
		}
		accepted++
	}
	if !refused {
		t.Fatalf("%d commands of 64 KiB fit on a full disk", accepted)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(15 * time.Second)
	for {
		if _, err = n.Apply(context.Background(), "a", []byte("small")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("with room again: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if got := len(a.cmds); got < accepted+1 || a.cmds[got-1] != "small" {
		t.Errorf("%d commands, want the %d accepted and one more", got, accepted)
	}
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 64<<10)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			return
		}
	}
}
