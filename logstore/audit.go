package logstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/segment"
)

// Operation is a line of the operations audit: what was done to files that hold records, beyond appending to them.
type Operation struct {
	Version   int               `json:"v"`
	Time      string            `json:"time"` // RFC 3339, UTC
	Op        string            `json:"op"`   // compact, retention, delete-records, quarantine, repair, damage
	Topic     string            `json:"topic,omitempty"`
	Partition int32             `json:"partition"`
	Before    []segment.FileSum `json:"before,omitempty"`
	After     []segment.FileSum `json:"after,omitempty"`
	Counts    *segment.Counts   `json:"counts,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	CRC       string            `json:"crc32c"` // of the line with this field empty
}

const (
	auditVersion = 1
	auditFile    = "audit.jsonl"
	auditBytes   = 8 << 20 // a file is put aside when it is longer
	auditKept    = 4       // files put aside
)

// audit is the file of operations; opened when it is first written.
type audit struct {
	mu   sync.Mutex
	file vfs.File
	size int64
}

func (o Operation) encode() []byte {
	o.CRC = ""
	b := o.json()
	o.CRC = fmt.Sprintf("%08x", crc32.Checksum(b, castagnoli))
	return append(o.json(), '\n')
}

func (o Operation) json() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic("BUG: an operation is plain data: " + err.Error())
	}
	return b
}

// DecodeOperation reads a line of the operations audit.
func DecodeOperation(line []byte) (Operation, error) {
	var o Operation
	if err := json.Unmarshal(line, &o); err != nil {
		return o, fmt.Errorf("logstore: audit line: %w", err)
	}
	if o.Version != auditVersion {
		return o, fmt.Errorf("logstore: audit line of version %d, this program reads %d", o.Version, auditVersion)
	}
	if !bytes.Equal(o.encode(), append(bytes.TrimRight(line, "\n"), '\n')) {
		return o, fmt.Errorf("logstore: audit line fails its CRC")
	}
	return o, nil
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }

// note appends an operation to the audit.
func (l *Log) note(o Operation) error {
	o.Version, o.Time = auditVersion, l.o.Clock.Now().UTC().Format(time.RFC3339Nano)
	return l.audit.append(l.o.FS, l.o.Dir, o.encode())
}

func (a *audit) append(fs vfs.FS, dir string, line []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.open(fs, dir)
	if err == nil {
		_, err = a.file.WriteAt(line, a.size)
	}
	if err == nil {
		err = a.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("logstore: audit: %w", err)
	}
	a.size += int64(len(line))
	return nil
}

// open opens the file, and puts a long one aside.
func (a *audit) open(fs vfs.FS, dir string) (err error) {
	name := path.Join(dir, auditFile)
	if a.file != nil && a.size >= auditBytes {
		if err := a.rotate(fs, name); err != nil {
			return err
		}
	}
	if a.file != nil {
		return nil
	}
	if a.file, err = fs.Open(name); vfs.IsNotExist(err) {
		a.file, err = fs.Create(name)
		if err == nil {
			err = fs.SyncDir(dir)
		}
	}
	if err != nil {
		return err
	}
	a.size, err = a.wholeLines()
	return err
}

// wholeLines is where the last whole line ends: a crash may have torn the last one.
func (a *audit) wholeLines() (int64, error) {
	size, err := a.file.Size()
	if err != nil {
		return 0, err
	}
	b := make([]byte, min(size, 1<<20))
	if _, err := a.file.ReadAt(b, size-int64(len(b))); err != nil && len(b) > 0 && err != io.EOF {
		return 0, err
	}
	start := size - int64(len(b))
	end := bytes.LastIndexByte(b, '\n') + 1
	if end > 0 {
		last := bytes.LastIndexByte(b[:end-1], '\n') + 1
		if _, err := DecodeOperation(b[last:end]); err != nil { // written, and not synced before the crash
			end = last
		}
	}
	return start + int64(end), a.file.Truncate(start + int64(end))
}

func (a *audit) rotate(fs vfs.FS, name string) error {
	if err := a.file.Close(); err != nil {
		return err
	}
	a.file = nil
	for i := auditKept; i > 0; i-- {
		from := name
		if i > 1 {
			from = fmt.Sprintf("%s.%d", name, i-1)
		}
		if err := fs.Rename(from, fmt.Sprintf("%s.%d", name, i)); err != nil && !vfs.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func (a *audit) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	a.file = nil
	return err
}

// BadLine is a line of the audit that cannot be read. The last one may be what a crash has torn.
type BadLine struct {
	File string
	Line int
	Last bool
	Err  error
}

// ReadAudit lists the operations that a log's directory tells of, oldest first. Lines that cannot be read are given to bad.
func ReadAudit(fs vfs.FS, dir string, bad func(BadLine)) ([]Operation, error) {
	var list []Operation
	for i := auditKept; i >= 0; i-- {
		name := path.Join(dir, auditFile)
		if i > 0 {
			name = fmt.Sprintf("%s.%d", name, i)
		}
		b, err := vfs.ReadFile(fs, name)
		if vfs.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("logstore: audit: %w", err)
		}
		n, rest := 0, len(b)
		for line := range strings.Lines(string(b)) {
			n, rest = n+1, rest-len(line)
			o, err := DecodeOperation([]byte(line))
			if err != nil {
				bad(BadLine{File: name, Line: n, Last: i == 0 && rest == 0, Err: err})
				continue
			}
			list = append(list, o)
		}
	}
	return list, nil
}

func (l *Log) auditCompaction(tp TopicPartition, m segment.Manifest) error {
	return l.note(Operation{Op: "compact", Topic: tp.Topic, Partition: tp.Partition, Before: m.Sources, After: []segment.FileSum{m.Target}, Counts: &m.Counts})
}
