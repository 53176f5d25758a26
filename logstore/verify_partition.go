package logstore

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// partitionVerifier checks one partition's directory.
type partitionVerifier struct {
	v      *verifier
	tp     TopicPartition
	dir    string
	replay *replayed // may be nil

	names     []string
	parked    replayed // put aside by an earlier start
	examining int64    // base of the segment that is being read
	snapshots map[int64]*snapshot
	swaps     map[int64]segment.Manifest // replacements that the next start finishes
	epochs    []epochSeen
	sent      map[int64]lastSent // what snapshots say of producers' newest batches, by offset
}

// epochSeen is where batches of a leader epoch begin.
type epochSeen struct {
	epoch int32
	base  int64
}

// lastSent is what a snapshot says of a producer's newest batch.
type lastSent struct {
	file     string
	producer int64
	last     int32
}

// looseSegment is a segment that is about to be examined.
type looseSegment struct {
	base int64
	ext  string
	x    segment.Examination
}

const restoreFix = "Restore the file from a copy or a replica; or give up what is damaged: streamflow verify --repair --quarantine."

func (p *partitionVerifier) find(f Finding) {
	f.Topic, f.Partition = p.tp.Topic, p.tp.Partition
	p.v.find(f)
}

func (p *partitionVerifier) file(base int64, ext string) string {
	return path.Join(p.dir, segment.Name(base, ext))
}

func (p *partitionVerifier) run() (err error) {
	p.v.report.Partitions++
	if p.names, err = p.v.o.FS.ReadDir(p.dir); err != nil {
		return err
	}
	p.readSwaps()
	if err := p.readParked(); err != nil {
		return err
	}
	p.readSnapshots()
	segments, err := p.examine()
	if err != nil {
		return err
	}
	p.identity(len(segments))
	p.order(segments)
	p.beginning(segments)
	for _, s := range segments {
		p.manifest(s)
	}
	p.snapshotsAgree(segments)
	p.others(segments)
	return nil
}

// identity checks the file that says which partition this is.
func (p *partitionVerifier) identity(segments int) {
	name := path.Join(p.dir, identityFile)
	if !slices.Contains(p.names, identityFile) {
		if segments > 0 {
			p.find(Finding{Severity: Damaged, File: name, Byte: -1, Offset: -1, What: "The partition's identity is missing.", Fix: "Restore the file from a copy."})
		}
		return
	}
	p.v.decodes(name, Damaged, "The partition's identity cannot be read", "Restore the file from a copy.", func(b []byte) error {
		_, err := decodeIdentity(b)
		return err
	})
}

// readSwaps finds replacements that a crash cut off.
func (p *partitionVerifier) readSwaps() {
	p.swaps = map[int64]segment.Manifest{}
	for _, name := range p.names {
		base, ok := segment.ParseName(name, segment.SwapExt)
		if !ok {
			continue
		}
		file := path.Join(p.dir, name)
		b, err := vfs.ReadFile(p.v.o.FS, file)
		var m segment.Manifest
		if err == nil {
			m, err = segment.DecodeManifest(b)
		}
		if err != nil {
			p.find(Finding{Severity: Damaged, File: file, Byte: -1, Offset: base, What: fmt.Sprintf("The manifest of a compaction that was under way cannot be read: %v.", err), Fix: restoreFix})
			continue
		}
		p.swaps[base] = m
		p.find(Finding{Severity: Note, File: file, Byte: -1, Offset: base, What: "A compaction was cut off while it replaced segments.", Fix: "Nothing: the next start finishes it."})
	}
}

// readSnapshots decodes the snapshots, and remembers what the batches must say too.
func (p *partitionVerifier) readSnapshots() {
	p.snapshots, p.sent = map[int64]*snapshot{}, map[int64]lastSent{}
	for _, name := range p.names {
		at, ok := segment.ParseName(name, snapshotExt)
		if !ok {
			continue
		}
		file := path.Join(p.dir, name)
		p.v.decodes(file, Derived, "A snapshot of producers and epochs cannot be read", "Remove it: what it knew is learnt again from the batches. --repair does that.", func(b []byte) error {
			s, err := decodeSnapshot(b)
			if err == nil && s.at != at {
				err = fmt.Errorf("it is of offset %d", s.at)
			}
			if err == nil {
				p.snapshots[at] = s
			}
			return err
		})
		s := p.snapshots[at]
		if s == nil {
			continue
		}
		for id, prod := range s.state.byID {
			if n := len(prod.batches); n > 0 {
				p.sent[prod.batches[n-1].base] = lastSent{file, id, prod.batches[n-1].last}
			}
		}
	}
}

// examine reads every segment.
func (p *partitionVerifier) examine() ([]*looseSegment, error) {
	var list []*looseSegment
	replaced := map[int64]bool{}
	for _, m := range p.swaps {
		for _, s := range m.Sources[1:] {
			replaced[s.Base] = true
		}
	}
	for _, name := range p.names {
		base, ok := segment.ParseName(name, segment.LogExt)
		if !ok || replaced[base] {
			continue
		}
		ext := segment.LogExt
		if _, under := p.swaps[base]; under && slices.Contains(p.names, segment.Name(base, segment.CleanedExt)) {
			ext = segment.CleanedExt
		}
		list = append(list, &looseSegment{base: base, ext: ext})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].base < list[j].base })
	for i, s := range list {
		var err error
		p.examining = s.base
		if s.x, err = segment.Examine(p.v.o.FS, p.dir, s.base, s.ext, p.batch); err != nil {
			return nil, err
		}
		p.v.report.Segments++
		p.v.report.Batches += s.x.Batches
		p.v.report.Records += s.x.Records
		p.v.report.Bytes += s.x.Size
		p.regions(list, i)
		p.indexes(s, i == len(list)-1)
	}
	return list, nil
}

// batch notes what a sound batch says of epochs and producers.
func (p *partitionVerifier) batch(pos int64, b record.Batch) {
	if n := len(p.epochs); b.LeaderEpoch() >= 0 && (n == 0 || p.epochs[n-1].epoch < b.LeaderEpoch()) {
		p.epochs = append(p.epochs, epochSeen{b.LeaderEpoch(), b.BaseOffset()})
	}
	if n := len(p.epochs); b.LeaderEpoch() >= 0 && n > 0 && b.LeaderEpoch() < p.epochs[n-1].epoch {
		p.find(Finding{Severity: Damaged, File: p.file(p.examining, segment.LogExt), Byte: pos, Offset: b.BaseOffset(), Fix: restoreFix,
			What: fmt.Sprintf("The batch is of leader epoch %d and comes after epoch %d; one of them is not what was written.", b.LeaderEpoch(), p.epochs[n-1].epoch)})
	}
	sent, ok := p.sent[b.BaseOffset()]
	if !ok {
		return
	}
	delete(p.sent, b.BaseOffset())
	if b.ProducerID() != sent.producer || b.LastSequence() != sent.last {
		file := sent.file
		p.find(Finding{Severity: Derived, File: file, Byte: -1, Offset: b.BaseOffset(), repair: func() error { return p.v.o.FS.Remove(file) },
			What: fmt.Sprintf("The snapshot says that offset %d is of producer %d up to sequence %d; the batch is of producer %d up to %d.", b.BaseOffset(), sent.producer, sent.last, b.ProducerID(), b.LastSequence()),
			Fix:  "Remove it: what it knew is learnt again from the batches. --repair does that."})
	}
}

// again tells that the next start writes the log again from the write-ahead log, from an offset at or before this one.
func (p *partitionVerifier) again(offset int64) bool {
	return p.replay != nil && (p.replay.changed || p.replay.first >= 0 && offset >= p.replay.first)
}

// goesOn is where what comes behind the segments goes on, if that is behind an offset: then those between are lost.
func (p *partitionVerifier) goesOn(offset int64) int64 {
	for _, r := range []*replayed{&p.parked, p.replay} {
		if r != nil && r.first > offset {
			return r.first
		}
	}
	return offset
}

// readParked learns what an earlier start has parked. The next start takes it like the write-ahead log.
func (p *partitionVerifier) readParked() error {
	p.parked.first = -1
	files, err := parkedFiles(p.v.o.FS, p.dir)
	for _, file := range files {
		p.v.decodes(file, Damaged, "Records that were put aside while the partition was damaged cannot be read", "Restore the file from a copy.", func(b []byte) error {
			_, err := decodeParked(b, func(typ wal.Type, _ int64, rest []byte) error {
				if typ == typeLogStart {
					p.parked.logStart = max(p.parked.logStart, (&reader{b: rest}).i64())
					return nil
				}
				return p.parked.batches(rest)
			})
			return err
		})
	}
	return err
}

// regions reports the damaged bytes of a segment.
func (p *partitionVerifier) regions(list []*looseSegment, i int) {
	s, last := list[i], i == len(list)-1
	file := p.file(s.base, s.ext)
	for _, r := range s.x.Regions {
		f := Finding{Severity: Damaged, File: file, Byte: r.From, Offset: r.First, Fix: restoreFix}
		lost := ""
		next := r.Next
		if r.Tail && !last {
			next = list[i+1].base
		} else if at := p.goesOn(r.First); r.Tail && at > r.First {
			next = at
		}
		if next > r.First {
			lost = fmt.Sprintf(" Offsets %d to %d are not readable.", r.First, next-1)
		}
		switch {
		case p.again(r.First):
			f.Severity, f.What, f.Fix = Note, fmt.Sprintf("Bytes %d to %d are not sound; a crash leaves a segment like this.", r.From, r.To-1), "Nothing: the next start writes them again from the write-ahead log."
		case r.Tail && last && s.ext == segment.LogExt && p.goesOn(r.First) == r.First:
			f.What = fmt.Sprintf("The last segment ends in %d bytes that are no sound batch: %s.", r.To-r.From, r.Why)
			f.Fix = "If acknowledged records may be among them, restore the file from a copy or a replica; else cut them off: --repair does that."
			f.repair = func() error { return p.v.truncate(p.tp, file, r.From, r.To) }
		default:
			f.What = fmt.Sprintf("Bytes %d to %d are no sound batch: %s.%s", r.From, max(r.To-1, r.From), r.Why, lost)
			f.last = func() error { return p.v.quarantine(p.tp, p.dir, s, next) }
		}
		p.find(f)
	}
}

// indexes reports index files that do not say what the batches say.
func (p *partitionVerifier) indexes(s *looseSegment, last bool) {
	if s.ext != segment.LogExt {
		return
	}
	again := p.again(s.x.Next) && last || p.replay != nil && p.replay.first >= 0 && p.replay.first < s.x.Next
	for ext, what := range map[string]string{segment.IndexExt: s.x.Index, segment.TimeIndexExt: s.x.TimeIndex} {
		if what == "" || s.x.Size == 0 {
			continue
		}
		f := Finding{Severity: Derived, File: p.file(s.base, ext), Byte: -1, Offset: s.base, What: "The index does not agree with its segment: " + what + ".",
			Fix: "Make it again from the batches: --repair does that, and so does a start."}
		switch {
		case again:
			f.Severity, f.Fix = Note, "Nothing: the next start writes the segment again from the write-ahead log."
		case what == "it is missing" && last:
			f.Severity, f.What, f.Fix = Note, "The active segment has no index yet; a crash leaves it like this.", "Nothing: the next start makes it."
		}
		switch remake := func() error { return p.v.reindex(p.dir, s.base) }; {
		case again:
		case len(s.x.Regions) == 0:
			f.repair = remake
		default:
			f.last = remake // of what is left then
		}
		p.find(f)
	}
}

// order checks that segments follow each other without a gap.
func (p *partitionVerifier) order(list []*looseSegment) {
	for i := 1; i < len(list); i++ {
		before, s := list[i-1], list[i]
		end := before.x.Next
		if m, ok := p.swaps[before.base]; ok {
			end = m.Target.Next
		}
		if n := len(before.x.Regions); end == s.base || n > 0 && before.x.Regions[n-1].Tail || p.again(min(end, s.base)) {
			continue
		}
		f := Finding{Severity: Damaged, File: p.file(s.base, s.ext), Byte: 0, Offset: end, Fix: restoreFix}
		if end < s.base {
			f.File, f.Byte = p.file(end, segment.LogExt), -1
			f.What = fmt.Sprintf("A segment is missing: offsets %d to %d lie in no file.", end, s.base-1)
			f.last = func() error { return p.v.fill(p.tp, p.dir, end, s.base-1) }
		} else {
			f.What = fmt.Sprintf("The segment begins at offset %d, but the one before it goes up to %d.", s.base, end-1)
		}
		p.find(f)
	}
}

// beginning checks that nothing is missing before the first segment.
func (p *partitionVerifier) beginning(list []*looseSegment) {
	local := freed{}
	if slices.Contains(p.names, freedFile) {
		p.v.decodes(path.Join(p.dir, freedFile), Damaged, "It cannot be read what the partition gave to the cold tier", "Restore the file from a copy.", func(b []byte) (err error) {
			local, err = decodeFreed(b)
			return err
		})
	}
	if len(list) == 0 || p.again(0) {
		return
	}
	first, start, known := list[0].base, int64(0), false
	for _, s := range p.snapshots {
		start, known = max(start, s.logStart), true
	}
	if p.replay != nil {
		start = max(start, p.replay.logStart)
	}
	start = max(start, p.parked.logStart)
	if known && first > max(start, local.localStart) {
		end := max(start, local.localStart)
		p.find(Finding{Severity: Damaged, File: p.dir, Byte: -1, Offset: end, Fix: restoreFix,
			What: fmt.Sprintf("A segment is missing: the log begins at offset %d, and the first file at %d.", end, first),
			last: func() error { return p.v.fill(p.tp, p.dir, end, first-1) }})
	}
}

// manifest checks a segment against the manifest of the compaction that wrote it.
func (p *partitionVerifier) manifest(s *looseSegment) {
	m, ok := p.swaps[s.base]
	file := p.file(s.base, segment.SwapExt)
	if !ok {
		file = p.file(s.base, segment.ManifestExt)
		if !slices.Contains(p.names, path.Base(file)) {
			return
		}
		if !p.v.decodes(file, Derived, "The manifest of a compaction cannot be read", "Remove it: the batches carry their own checksums. --repair does that.", func(b []byte) (err error) {
			m, err = segment.DecodeManifest(b)
			return err
		}) {
			return
		}
	}
	if len(s.x.Regions) > 0 {
		return // said already
	}
	if m.Target.Base != s.base || m.Target.Bytes != s.x.Size || m.Target.SHA256 != s.x.SHA256 || m.Target.Next != s.x.Next {
		p.find(Finding{Severity: Damaged, File: p.file(s.base, s.ext), Byte: -1, Offset: s.base, Fix: restoreFix,
			What: fmt.Sprintf("The segment is not the one that the compaction wrote: it has %d bytes and SHA-256 %.12s…, the manifest says %d and %.12s….", s.x.Size, s.x.SHA256, m.Target.Bytes, m.Target.SHA256)})
	}
}

// snapshotsAgree compares what snapshots say with the batches.
func (p *partitionVerifier) snapshotsAgree(list []*looseSegment) {
	end := int64(0)
	if n := len(list); n > 0 {
		end = list[n-1].x.Next
	}
	for at, s := range p.snapshots {
		file, why := p.file(at, snapshotExt), ""
		for i, e := range s.epochs {
			if i > 0 && (e.Epoch <= s.epochs[i-1].Epoch || e.Start < s.epochs[i-1].Start) {
				why = fmt.Sprintf("leader epoch %d at offset %d comes after epoch %d at %d", e.Epoch, e.Start, s.epochs[i-1].Epoch, s.epochs[i-1].Start)
			}
		}
		for _, seen := range p.epochs {
			if seen.base >= at || len(list) > 0 && seen.base == list[0].base {
				continue // the first batch of an epoch may have been deleted with what was before
			}
			i := slices.IndexFunc(s.epochs, func(e EpochStart) bool { return e.Epoch == seen.epoch })
			if i < 0 || s.epochs[i].Start > seen.base {
				why = fmt.Sprintf("leader epoch %d begins at offset %d, which it does not say", seen.epoch, seen.base)
			}
		}
		if why == "" && at > end && !p.again(end) {
			why = fmt.Sprintf("it is of offset %d, and the log ends at %d", at, end)
		}
		if why != "" {
			p.find(Finding{Severity: Derived, File: file, Byte: -1, Offset: at, What: "The snapshot does not agree with the batches: " + why + ".",
				Fix: "Remove it: what it knew is learnt again from the batches. --repair does that.", repair: func() error { return p.v.o.FS.Remove(file) }})
		}
	}
}

// others looks at the files that belong to no segment.
func (p *partitionVerifier) others(list []*looseSegment) {
	bases := map[int64]bool{}
	for _, s := range list {
		bases[s.base] = true
	}
	for _, name := range p.names {
		file := path.Join(p.dir, name)
		switch {
		case name == identityFile || name == freedFile || strings.HasSuffix(name, parkedExt):
		case name == cleanedFile:
			p.v.decodes(file, Derived, "How far compactions have come cannot be read", "Remove it: the next compaction looks at everything. --repair does that.", func(b []byte) error {
				_, _, err := decodeCleaned(b)
				return err
			})
		case strings.HasSuffix(name, segment.CleanedExt), strings.HasSuffix(name, segment.DeletedExt), strings.HasSuffix(name, ".tmp"):
			p.find(Finding{Severity: Note, File: file, Byte: -1, Offset: -1, What: "The file is out of use.", Fix: "Nothing: the next start removes it."})
		case p.belongs(name, bases):
		case strings.Contains(name, quarantinedExt):
			p.find(Finding{Severity: Note, File: file, Byte: -1, Offset: -1, What: "Bytes that were put into quarantine.", Fix: "Keep it as long as somebody may want to look at it."})
		default:
			p.stray(file, name)
		}
	}
}

// belongs tells whether a file goes with a segment or is a snapshot.
func (p *partitionVerifier) belongs(name string, bases map[int64]bool) bool {
	for _, ext := range []string{segment.LogExt, segment.IndexExt, segment.TimeIndexExt, segment.ManifestExt, segment.SwapExt} {
		if base, ok := segment.ParseName(name, ext); ok {
			return bases[base] || ext == segment.SwapExt || ext == segment.LogExt
		}
	}
	_, ok := segment.ParseName(name, snapshotExt)
	return ok
}

// stray is a file whose segment is not there, or that is none of ours.
func (p *partitionVerifier) stray(file, name string) {
	for _, ext := range []string{segment.IndexExt, segment.TimeIndexExt, segment.ManifestExt} {
		if base, ok := segment.ParseName(name, ext); ok {
			p.find(Finding{Severity: Derived, File: file, Byte: -1, Offset: base, What: "The file's segment is not there.",
				Fix: "Restore the segment, or remove the file: --repair does that.", repair: func() error { return p.removeStray(file, base) }})
			return
		}
	}
	p.v.foreign(file)
}

// removeStray removes what is derived from a segment that is not there, and is not there now either.
func (p *partitionVerifier) removeStray(file string, base int64) error {
	f, err := p.v.o.FS.Open(p.file(base, segment.LogExt))
	if err == nil {
		return f.Close()
	}
	return p.v.o.FS.Remove(file)
}
