package wal

import (
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"sort"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Entry is a record that a replay found.
type Entry struct {
	LSN       uint64
	Type      Type
	Timestamp int64  // milliseconds
	Payload   []byte // valid during the call
}

// past is what a replay found: the files to free once their records are safe, and where the log goes on.
type past struct {
	files   []*file
	unused  *file // may be nil
	lastLSN uint64
	lastSeq uint64
}

// run is the unbroken sequence of records at the start of a file.
type run struct {
	f           *file
	first, last uint64 // LSNs; first is 0 if the file has no record
	end         int64  // where the sequence stops
	checkpoint  uint64 // the greatest that its checkpoints speak of
	durable     uint64 // the greatest that its marks speak of
	closed      bool   // ends in a close record
	bad         bool   // the header of the file is not sound
}

// replay reads the files in o.Dir, finds the chain of records that a crash left, and applies what is after the last
// checkpoint. The files are synced first: a record that is only in the system's cache must not be built upon.
func replay(o Options, apply func(Entry) error) (past, error) {
	runs, err := openRuns(o)
	if err != nil {
		return past{}, err
	}
	p := past{}
	for _, r := range runs {
		p.files = append(p.files, r.f)
		p.lastSeq = max(p.lastSeq, r.f.seq)
	}
	chain := findChain(runs)
	p.lastLSN = checkpointOf(runs)
	if len(chain) > 0 {
		p.lastLSN = max(p.lastLSN, chain[len(chain)-1].last)
	}
	err = checkCut(chain, runs, p.lastLSN)
	if err == nil {
		err = applyChain(chain, checkpointOf(runs), apply)
	}
	if err != nil {
		closeAll(p.files)
		return past{}, err
	}
	for _, f := range p.files {
		f.lastLSN = p.lastLSN
	}
	for _, r := range chain {
		r.f.lastLSN = r.last
	}
	p.takeUnused(runs, o.FileSize)
	return p, nil
}

// takeUnused sets aside a file that never held a record, so that a node can start while the disk is full.
func (p *past) takeUnused(runs []*run, size int64) {
	for i, r := range runs {
		if r.first == 0 && !r.bad && r.f.size == size {
			p.unused = r.f
			p.files = slices.Delete(p.files, i, i+1)
			return
		}
	}
}

func openRuns(o Options) ([]*run, error) {
	names, err := o.FS.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	var runs []*run
	for _, name := range names {
		seq, ok := parseFileName(name)
		if !ok {
			continue
		}
		r, err := openRun(o, path.Join(o.Dir, name), seq)
		if err != nil {
			for _, r := range runs {
				r.f.Close()
			}
			return nil, fmt.Errorf("wal: read %s: %w", name, err)
		}
		runs = append(runs, r)
	}
	sort.Slice(runs, func(i, j int) bool { return runs[i].f.seq < runs[j].f.seq })
	return runs, nil
}

func openRun(o Options, name string, seq uint64) (*run, error) {
	h, err := o.FS.Open(name)
	if err != nil {
		return nil, err
	}
	r := &run{f: &file{File: h, name: name, seq: seq}}
	if r.f.size, err = h.Size(); err == nil {
		err = h.Sync()
	}
	if err == nil {
		err = r.read()
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return r, nil
}

// read finds the file's run. Only I/O errors are errors.
func (r *run) read() error {
	win := &window{f: r.f}
	head, err := win.at(0, fileHeader)
	if err != nil {
		return err
	}
	seq, salt, headErr := getFileHeader(head)
	if headErr != nil || seq != r.f.seq {
		r.bad = true
		return nil
	}
	r.f.salt = salt
	return r.scan(win, func(h header, payload []byte) error {
		if r.first == 0 {
			r.first = h.lsn
		}
		r.last = h.lsn
		r.learn(h, payload)
		return nil
	})
}

func (r *run) learn(h header, payload []byte) {
	if h.typ != typeMark { // the mark that is written when the queue runs dry may come after the close record
		r.closed = false
	}
	if len(payload) != markPayload {
		return
	}
	about := binary.LittleEndian.Uint64(payload)
	switch h.typ {
	case typeMark:
		r.durable = max(r.durable, about)
	case typeCheckpoint, typeClose:
		r.checkpoint = max(r.checkpoint, about)
		r.closed = h.typ == typeClose
	}
}

// scan calls fn for each record of the run, and leaves r.end where the run stops.
func (r *run) scan(win *window, fn func(h header, payload []byte) error) error {
	var last uint64
	r.end = fileHeader
	for {
		rec, err := win.record(r.end)
		if err != nil || rec == nil {
			return err
		}
		h := getHeader(rec)
		if h.salt != r.f.salt || (last != 0 && h.lsn != last+1) {
			return nil
		}
		last = h.lsn
		if err := fn(h, rec[recordHead:]); err != nil {
			return err
		}
		r.end += recordSize(int(h.length))
	}
}

func checkpointOf(runs []*run) (lsn uint64) {
	for _, r := range runs {
		lsn = max(lsn, r.checkpoint)
	}
	return lsn
}

// findChain strings runs together, from the one that holds the first record after the last checkpoint. A run goes on in a
// younger file that begins with the next LSN. (An older file may hold such an LSN too: it was cut off by an earlier
// recovery, whose new records took the LSNs over.)
func findChain(runs []*run) (chain []*run) {
	next := checkpointOf(runs) + 1
	if next == 1 {
		next = firstLSN(runs)
	}
	if r := holder(runs, next); r != nil {
		chain = append(chain, r)
	} else if r := holder(runs, next-1); r != nil {
		chain = append(chain, r) // nothing to replay, but this is where the log goes on
	}
	for len(chain) > 0 {
		at := chain[len(chain)-1]
		r := follower(runs, at)
		if r == nil {
			break
		}
		chain = append(chain, r)
	}
	return chain
}

// holder is the youngest file whose run has the record lsn.
func holder(runs []*run, lsn uint64) *run {
	for i := len(runs) - 1; i >= 0; i-- {
		if r := runs[i]; r.first != 0 && r.first <= lsn && lsn <= r.last {
			return r
		}
	}
	return nil
}

func firstLSN(runs []*run) uint64 {
	for _, r := range runs {
		if r.first != 0 {
			return r.first
		}
	}
	return 1
}

func follower(runs []*run, at *run) *run {
	for _, r := range runs {
		if r.f.seq > at.f.seq && r.first == at.last+1 {
			return r
		}
	}
	return nil
}

// checkCut decides whether the chain ends where a crash cut it off, or at damage: some mark, anywhere behind the end,
// says that later records were durable.
func checkCut(chain, runs []*run, last uint64) error {
	if len(chain) > 0 && chain[len(chain)-1].closed {
		return nil
	}
	at, from := (*run)(nil), uint64(0)
	if len(chain) > 0 {
		at = chain[len(chain)-1]
		from = at.f.seq
	}
	for _, r := range runs {
		if r.f.seq < from {
			continue
		}
		durable, err := r.durableBehind()
		if err != nil {
			return fmt.Errorf("wal: read %s: %w", r.f.name, err)
		}
		if durable > last {
			if at == nil {
				at = r
			}
			return corrupt(at.f.name, at.end, last, durable)
		}
	}
	return nil
}

func corrupt(name string, at int64, last, durable uint64) error {
	return usererr.New("CORRUPT_WAL", "XX001",
		"The write-ahead log is damaged: records after %d are unreadable, though all up to %d had reached the disk.", last, durable).
		In(fmt.Sprintf("%s at byte %d", name, at)).
		WithFix("Restore the file from a copy or a replica; starting without it would lose acknowledged records.")
}

// durableBehind looks through the whole file for marks, the run's and those that stand alone behind bad bytes.
func (r *run) durableBehind() (uint64, error) {
	if r.end == 0 {
		r.end = fileHeader
	}
	durable := r.durable
	win := &window{f: r.f}
	for at := r.end; at+markSize <= r.f.size; {
		b, err := win.rest(at, markSize)
		if err != nil {
			return 0, err
		}
		n := len(b) - markSize // the last place in b where a whole mark fits
		if n < 0 {
			break // the file is shorter than it was
		}
		for i := 0; i <= n; i += align {
			if !mayBeMark(b[i:]) {
				continue
			}
			m := b[i : i+markSize]
			if h := getHeader(m); (r.bad || h.salt == r.f.salt) && recordCRC(m) == h.crc {
				durable = max(durable, binary.LittleEndian.Uint64(m[recordHead:]))
			}
		}
		at += int64(n)&^(align-1) + align
	}
	return durable, nil
}

// mayBeMark looks at the length and the type: most of a file is anything but a mark, and all of it is looked through.
func mayBeMark(b []byte) bool {
	return binary.LittleEndian.Uint32(b) == markPayload && Type(b[8]) == typeMark
}

func applyChain(chain []*run, checkpoint uint64, apply func(Entry) error) error {
	for _, r := range chain {
		if r.last <= checkpoint {
			continue
		}
		err := r.scan(&window{f: r.f}, func(h header, payload []byte) error {
			if h.typ < FirstUserType || h.lsn <= checkpoint {
				return nil
			}
			return apply(Entry{LSN: h.lsn, Type: h.typ, Timestamp: h.timestamp, Payload: payload})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
