package chaoslog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// prepareDisk makes a node's directory; with a size, it is a file system of its own in memory, which can be filled.
func prepareDisk(dir string, mb int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil || mb == 0 {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mb)); err != nil {
		return fmt.Errorf("a file system of its own for %s (needs root): %w", dir, err)
	}
	return nil
}

// releaseDisk unmounts what prepareDisk mounted; a plain directory stays.
func releaseDisk(dir string) error {
	err := syscall.Unmount(dir, 0)
	if err == syscall.EINVAL || err == syscall.EPERM || err == syscall.ENOENT {
		return nil // it was no mount point
	}
	return err
}

func ballast(n *Node) string { return filepath.Join(n.Dir, "ballast") }

// fillDisk takes all room that is left on the node's disk.
func fillDisk(n *Node) error {
	f, err := os.OpenFile(ballast(n), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	at, step := int64(0), int64(16<<20)
	for step >= 4096 {
		if err := syscall.Fallocate(int(f.Fd()), 0, at, step); err != nil {
			step /= 2
			continue
		}
		at += step
	}
	return nil
}

// emptyDisk gives the room back; a disk that was filled twice is emptied once.
func emptyDisk(n *Node) error {
	err := os.Remove(ballast(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Of the write-ahead log's format (docs/format/wal.md): what is needed to find where its records end.
const (
	walHeader = 64
	walRecord = 32
)

// tear puts the beginning of a record behind the end of a dead node's write-ahead log, as a power failure in the middle of a
// write does: the right place, salt and sequence number, half a payload, no valid checksum. What was written before stays:
// it may have been acknowledged.
func tear(n *Node, rng *rand.Rand) error {
	file, err := newestWAL(filepath.Join(n.Dir, "data", "log", "wal"))
	if err != nil || file == "" {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	salt, at, lsn := le.Uint32(b[16:]), walHeader, uint64(0)
	for at+walRecord <= len(b) && le.Uint32(b[at+12:]) == salt && le.Uint64(b[at+24:]) > lsn {
		lsn = le.Uint64(b[at+24:])
		at += (walRecord + int(le.Uint32(b[at:])) + 7) &^ 7
	}
	size := 200 + rng.IntN(4000)
	if lsn == 0 || at+walRecord+size > len(b) {
		return nil // nothing was written yet, or there is no room
	}
	torn := make([]byte, walRecord+size/2)
	for i := range torn {
		torn[i] = byte(rng.Uint32())
	}
	le.PutUint32(torn, uint32(size))
	le.PutUint32(torn[8:], 16)
	le.PutUint32(torn[12:], salt)
	le.PutUint64(torn[24:], lsn+1)
	_, err = f.WriteAt(torn, int64(at))
	return err
}

// newestWAL is the file with the greatest sequence number, or nothing.
func newestWAL(dir string) (name string, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var newest uint64
	for _, e := range list {
		head := make([]byte, walHeader)
		path := filepath.Join(dir, e.Name())
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		n, _ := f.Read(head) // a short file is none of the log's
		f.Close()
		if seq := binary.LittleEndian.Uint64(head[8:]); n == walHeader && string(head[:5]) == "SFWAL" && seq > newest {
			newest, name = seq, path
		}
	}
	return name, nil
}
