package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Problem is something that Check found wrong.
type Problem struct {
	File  string
	Index uint64 // of the log entry; 0: the whole file
	What  string
	Fix   string
}

// Checked is what Check has read.
type Checked struct {
	Entries   uint64 // log entries
	Snapshots int
	Problems  []Problem
}

const restoreMeta = "Restore the directory meta from a copy; or, in a cluster, remove it and let the node join again."

// Check reads the metadata log in a directory that no process uses, and changes nothing: the bolt file and every entry in it, the
// journal, the snapshots.
func Check(dir string) (Checked, error) {
	c := &checker{dir: dir}
	if err := c.bolt(); err != nil {
		return c.Checked, err
	}
	c.journal()
	c.snapshots()
	return c.Checked, nil
}

type checker struct {
	Checked
	dir string
}

func (c *checker) find(file string, index uint64, format string, args ...any) {
	c.Problems = append(c.Problems, Problem{File: filepath.Join(c.dir, file), Index: index, What: fmt.Sprintf(format, args...), Fix: restoreMeta})
}

// bolt reads the bolt file. Its pages have no checksums, so that damage may send a reader anywhere; the entries in them have.
func (c *checker) bolt() (err error) {
	const name = "raft.db"
	path := filepath.Join(c.dir, name)
	if _, err := os.Stat(path); err != nil {
		c.find(name, 0, "The metadata log cannot be read: %v.", err)
		return nil
	}
	defer func(on bool) {
		debug.SetPanicOnFault(on)
		if r := recover(); r != nil {
			c.find(name, 0, "The metadata log is damaged: %v.", r)
			err = nil
		}
	}(debug.SetPanicOnFault(true))
	db, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{ReadOnly: true, Timeout: 200 * time.Millisecond}})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return usererr.New("DATA_DIR_LOCKED", "58030", "A node is using the data directory; its files change while it runs.").In(path).WithFix("Stop the node first.")
	}
	if err != nil {
		c.find(name, 0, "The metadata log cannot be opened: %v.", err)
		return nil
	}
	defer db.Close()
	c.entries(db)
	return nil
}

// entries decodes every entry of the log.
func (c *checker) entries(db *raftboltdb.BoltStore) {
	first, err := db.FirstIndex()
	if err != nil {
		c.find("raft.db", 0, "The metadata log cannot be read: %v.", err)
		return
	}
	last, err := db.LastIndex()
	for i := first; err == nil && i <= last && i > 0; i++ {
		var l raft.Log
		if err := db.GetLog(i, &l); err != nil {
			c.find("raft.db", i, "Entry %d of %d to %d cannot be read: %v.", i, first, last, err)
			return
		}
		c.Entries++
		c.entry("raft.db", &l)
	}
}

func (c *checker) entry(file string, l *raft.Log) {
	if l.Type != raft.LogCommand {
		return
	}
	if _, err := decodeEntry(l.Data); err != nil {
		c.find(file, l.Index, "Entry %d is damaged: %v.", l.Index, err)
	}
}

// journal reads the newest entries.
func (c *checker) journal() {
	const name = "raft.journal"
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	var f frontFile
	if err == nil {
		f, err = readFront(b)
	}
	if err != nil {
		c.find(name, 0, "The journal of the metadata log cannot be read: %v.", err)
		return
	}
	for _, l := range f.logs {
		c.entry(name, l)
	}
}

// snapshots reads the snapshots. Raft starts from the newest one that it can read.
func (c *checker) snapshots() {
	dirs, err := filepath.Glob(filepath.Join(c.dir, "snapshots", "*", "meta.json"))
	if err != nil {
		return
	}
	for _, m := range dirs {
		rel, _ := filepath.Rel(c.dir, filepath.Dir(m))
		if filepath.Ext(rel) == ".tmp" {
			continue // being made when the node died
		}
		c.Snapshots++
		c.snapshot(rel)
	}
}

func (c *checker) snapshot(rel string) {
	var says struct {
		CRC  []byte
		Size int64
	}
	b, err := os.ReadFile(filepath.Join(c.dir, rel, "meta.json"))
	if err == nil {
		err = json.Unmarshal(b, &says)
	}
	if err != nil {
		c.find(filepath.Join(rel, "meta.json"), 0, "The description of a snapshot cannot be read: %v.", err)
		return
	}
	name := filepath.Join(rel, "state.bin")
	state, err := os.ReadFile(filepath.Join(c.dir, name))
	if err == nil && int64(len(state)) != says.Size {
		err = fmt.Errorf("it has %d bytes, its description says %d", len(state), says.Size)
	}
	if h := crc64.New(crc64.MakeTable(crc64.ECMA)); err == nil {
		_, _ = h.Write(state)
		if sum := h.Sum(nil); string(sum) != string(says.CRC) {
			err = fmt.Errorf("its checksum is %x, its description says %x", sum, says.CRC)
		}
	}
	if err == nil {
		_, err = decodeSnapshot(state)
	}
	if err != nil {
		c.find(name, 0, "A snapshot of the metadata cannot be read: %v.", err)
	}
}
