package logstore

import (
	"errors"
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/wal"
)

// Severity of a finding.
type Severity string

const (
	// Damaged: records cannot be read, or something that nothing else tells is lost.
	Damaged Severity = "damaged"
	// Derived: a file is wrong that can be made again from the batches.
	Derived Severity = "derived"
	// Note: nothing is wrong; the next start takes care of it, or the file is none of ours.
	Note Severity = "note"
)

// Finding is one thing that Verify found.
type Finding struct {
	Severity  Severity `json:"severity"`
	File      string   `json:"file"`
	Byte      int64    `json:"byte"`   // -1: the whole file
	Offset    int64    `json:"offset"` // of the log; -1: none
	What      string   `json:"what"`
	Fix       string   `json:"fix"`
	Repaired  bool     `json:"repaired"`
	Topic     string   `json:"topic,omitempty"`
	Partition int32    `json:"partition"`

	repair func() error // nil: nothing that Repair may do
	last   func() error // what only Quarantine may do
}

// VerifyOptions says what to verify, and what to change.
type VerifyOptions struct {
	Dir        string // of a log
	FS         vfs.FS // the operating system's files
	Repair     bool   // make derived files again, cut torn tails
	Quarantine bool   // with Repair: put damaged bytes aside and let the log go on without them
	NowMs      int64  // for what is written
}

// VerifyReport is what Verify found.
type VerifyReport struct {
	Partitions int       `json:"partitions"`
	Segments   int       `json:"segments"`
	Batches    int64     `json:"batches"`
	Records    int64     `json:"records"`
	Bytes      int64     `json:"bytes"`
	Findings   []Finding `json:"findings"`
}

// Sound tells that nothing is wrong, or nothing any more.
func (r VerifyReport) Sound() bool {
	for _, f := range r.Findings {
		if f.Severity != Note && !f.Repaired {
			return false
		}
	}
	return true
}

// Verify reads every byte of a log's directory that no process uses: batches and their CRCs, offsets without a gap, indexes,
// manifests, snapshots, the write-ahead log. It changes nothing, unless it is told to repair. Good records are never removed.
func Verify(o VerifyOptions) (VerifyReport, error) {
	if o.FS == nil {
		o.FS = vfs.OS
	}
	v := &verifier{o: o, replay: map[TopicPartition]*replayed{}}
	if there, err := o.FS.IsDir(path.Join(o.Dir, topicDir)); err != nil || !there {
		return v.report, usererr.New("NO_DATA_DIR", "58030", "There is no log here: it has no directory %s.", topicDir).In(o.Dir).
			WithFix("Name the --data-dir of a node, or its directory log.")
	}
	lock, err := o.FS.Lock(path.Join(o.Dir, lockFile))
	if errors.Is(err, vfs.ErrLocked) {
		return v.report, usererr.New("DATA_DIR_LOCKED", "58030", "A node is using the data directory; its files change while it runs.").
			In(o.Dir).WithFix("Stop the node first. A running node looks for damage by itself: see storage.scrub_rate.")
	}
	if err != nil {
		return v.report, dirError(o.Dir, err)
	}
	defer lock.Close()
	err = v.run()
	if err == nil && o.Repair {
		err = v.repair()
	}
	return v.report, err
}

// verifier is a verification under way.
type verifier struct {
	o      VerifyOptions
	report VerifyReport
	replay map[TopicPartition]*replayed
}

func (v *verifier) find(f Finding) { v.report.Findings = append(v.report.Findings, f) }

func (v *verifier) run() error {
	if err := v.wal(); err != nil {
		return err
	}
	if err := v.top(); err != nil {
		return err
	}
	topics, err := v.o.FS.ReadDir(path.Join(v.o.Dir, topicDir))
	if err != nil {
		return err
	}
	for _, topic := range topics {
		if err := v.topic(topic); err != nil {
			return err
		}
	}
	return v.lost()
}

// replayed is what the write-ahead log has of a partition.
type replayed struct {
	incarnation uint64
	first       int64 // the offset from which on the next start writes the segments again; -1: none
	next        int64
	logStart    int64
	removed     bool // the partition is deleted by it
	changed     bool // it was cut or reset by it: what the files hold behind that is of before
}

// wal checks the write-ahead log, and learns what a replay would do.
func (v *verifier) wal() error {
	dir := path.Join(v.o.Dir, walDir)
	files, err := wal.Check(v.o.FS, dir, v.replayEntry)
	if ue, ok := usererr.As(err); ok {
		file, at := splitWhere(ue.Where)
		v.find(Finding{Severity: Damaged, File: file, Byte: at, Offset: -1, What: ue.Message, Fix: ue.Fix})
		err = nil
	}
	if err != nil {
		return fmt.Errorf("logstore: verify: %w", err)
	}
	known := map[string]bool{}
	for _, f := range files {
		known[path.Base(f.Name)] = true
		v.report.Bytes += f.Bytes
		if f.BadHead {
			v.find(Finding{Severity: Note, File: f.Name, Byte: 0, Offset: -1, What: "The file's header is not sound; a file that is being made looks like this.", Fix: "Nothing: no record of the log is missing."})
		}
	}
	names, err := v.o.FS.ReadDir(dir)
	for _, name := range names {
		if !known[name] {
			v.foreign(path.Join(dir, name))
		}
	}
	return err
}

// splitWhere takes "FILE at byte N" apart.
func splitWhere(where string) (file string, at int64) {
	file, rest, ok := strings.Cut(where, " at byte ")
	if n, err := strconv.ParseInt(rest, 10, 64); ok && err == nil {
		return file, n
	}
	return where, -1
}

// replayEntry learns what a replay would do with a record.
func (v *verifier) replayEntry(e wal.Entry) error {
	tp, incarnation, rest, err := cutEntryPrefix(e.Payload)
	if err != nil {
		return err
	}
	switch e.Type {
	case typeDelete:
		for known, r := range v.replay {
			if known.Topic == tp.Topic {
				*r = replayed{first: -1, removed: true}
			}
		}
		return nil
	case typeDrop:
		v.replay[tp] = &replayed{first: -1, removed: true}
		return nil
	}
	r := v.replay[tp]
	if r == nil || r.incarnation != incarnation {
		r = &replayed{incarnation: incarnation, first: -1}
		v.replay[tp] = r
	}
	switch e.Type {
	case typeAppend:
		return r.batches(rest)
	case typeReplicated:
		return r.batches(rest[min(8, len(rest)):])
	case typeLogStart:
		r.logStart = max(r.logStart, (&reader{b: rest}).i64())
	case typeCut, typeReset:
		r.changed = true
	}
	return nil
}

func (r *replayed) batches(data []byte) error {
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			return err
		}
		if r.first < 0 {
			r.first = b.BaseOffset()
		}
		r.first, r.next, data = min(r.first, b.BaseOffset()), b.LastOffset()+1, rest
	}
	return nil
}

// top checks what lies beside the topics.
func (v *verifier) top() error {
	names, err := v.o.FS.ReadDir(v.o.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		file := path.Join(v.o.Dir, name)
		switch {
		case name == walDir || name == topicDir || name == lockFile || strings.HasSuffix(name, ".tmp"):
		case name == highFile:
			v.decodes(file, Derived, "The list of high watermarks cannot be read", "Remove it: the next start finds them again from the other replicas.", func(b []byte) error {
				_, err := decodeHighs(b)
				return err
			})
		case strings.HasPrefix(name, auditFile):
		default:
			v.foreign(file)
		}
	}
	_, err = ReadAudit(v.o.FS, v.o.Dir, func(l BadLine) {
		f := Finding{Severity: Damaged, File: l.File, Byte: -1, Offset: -1, What: fmt.Sprintf("Line %d of the operations audit cannot be read: %v.", l.Line, l.Err),
			Fix: "Restore the file from a copy; records are not affected."}
		if l.Last {
			f.Severity, f.Fix = Note, "Nothing: a crash leaves the last line like this, and the next operation writes over it."
		}
		v.find(f)
	})
	return err
}

// decodes checks a small file that has a decoder. A Derived one is removed by Repair.
func (v *verifier) decodes(file string, s Severity, what, fix string, decode func([]byte) error) bool {
	b, err := vfs.ReadFile(v.o.FS, file)
	if err == nil {
		err = decode(b)
	}
	if err == nil {
		return true
	}
	f := Finding{Severity: s, File: file, Byte: -1, Offset: -1, What: fmt.Sprintf("%s: %v.", what, err), Fix: fix}
	if s == Derived {
		f.repair = func() error { return v.o.FS.Remove(file) }
	}
	v.find(f)
	return false
}

func (v *verifier) foreign(file string) {
	v.find(Finding{Severity: Note, File: file, Byte: -1, Offset: -1, What: "The file is none of ours.", Fix: "Move it elsewhere; nothing reads it."})
}

func (v *verifier) topic(topic string) error {
	dir := path.Join(v.o.Dir, topicDir, topic)
	if is, err := v.o.FS.IsDir(dir); err != nil || !is || checkTopic(topic) != nil {
		v.foreign(dir)
		return err
	}
	names, err := v.o.FS.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		n, err := strconv.ParseInt(name, 10, 32)
		full := path.Join(dir, name)
		if is, derr := v.o.FS.IsDir(full); derr != nil || !is || err != nil || n < 0 {
			v.foreign(full)
			continue
		}
		tp := TopicPartition{Topic: topic, Partition: int32(n)}
		if r := v.replay[tp]; r != nil && r.removed {
			v.find(Finding{Severity: Note, File: full, Byte: -1, Offset: -1, What: "The partition was deleted, and its files are there still.", Fix: "Nothing: the next start removes them."})
			continue
		}
		pv := partitionVerifier{v: v, tp: tp, dir: full, replay: v.replay[tp]}
		if err := pv.run(); err != nil {
			return fmt.Errorf("logstore: verify %s: %w", tp, err)
		}
	}
	return nil
}

// lost finds the partitions that the write-ahead log continues and whose files are not there.
func (v *verifier) lost() error {
	tps := make([]TopicPartition, 0, len(v.replay))
	for tp := range v.replay {
		tps = append(tps, tp)
	}
	sort.Slice(tps, func(i, j int) bool { return tps[i].String() < tps[j].String() })
	for _, tp := range tps {
		r, dir := v.replay[tp], path.Join(v.o.Dir, topicDir, tp.Topic, strconv.Itoa(int(tp.Partition)))
		is, err := v.o.FS.IsDir(dir)
		if err != nil {
			return err
		}
		if !is && r.first > 0 && r.logStart < r.first && !r.changed && !r.removed {
			v.find(Finding{Severity: Damaged, File: dir, Byte: -1, Offset: 0, Topic: tp.Topic, Partition: tp.Partition,
				What: fmt.Sprintf("The partition's directory is missing, though the write-ahead log goes on at offset %d.", r.first), Fix: "Restore the directory from a copy or a replica."})
		}
	}
	return nil
}
