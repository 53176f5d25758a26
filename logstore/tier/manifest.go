package tier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/streamflow/streamflow/logstore"
)

// State is where an object is in its life (KIP-405's remote log segment states). Readers see finished ones only.
type State uint8

const (
	CopyStarted   State = 1 // announced: the key may lead to nothing, or to an object that nobody vouches for
	CopyFinished  State = 2 // whole
	DeleteStarted State = 3 // out of use: the object is to be deleted
)

func (s State) String() string {
	switch s {
	case CopyStarted:
		return "COPY_STARTED"
	case CopyFinished:
		return "COPY_FINISHED"
	case DeleteStarted:
		return "DELETE_STARTED"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Kind is an object's format.
type Kind uint8

const (
	Raw     Kind = 1 // batches one after the other, a table behind them
	Parquet Kind = 2 // columns, with the batches in one of them
)

func (k Kind) String() string {
	if k == Parquet {
		return "parquet"
	}
	return "log"
}

// Entry is an object in a manifest. Base <= Next; what depends on the object's bytes is zero before the copy is finished.
type Entry struct {
	State        State
	Kind         Kind
	Key          string
	Base, Next   int64 // offsets [Base, Next)
	Bytes        int64 // of the batches, as they were in the log
	Records      int64
	MinTimestamp int64 // of records, milliseconds; -1 for none
	MaxTimestamp int64
	Appended     int64  // milliseconds, when the last batch was written
	LastEpoch    int32  // leader epoch of the last batch
	Size         int64  // of the object
	Tail         int64  // bytes at its end that say where everything is
	TailCRC      uint32 // CRC32C of those
	CRC          uint32 // of the whole
}

// Manifest says what the tier has of a partition. The finished objects follow each other without gap or overlap:
// Start <= the first one's Next, and each one's Next is the following one's Base.
type Manifest struct {
	Version Version
	Start   int64 // the log start when it was written; offsets below it are gone
	Epochs  []logstore.EpochStart
	Entries []Entry // finished ones in offset order; the others in any
}

// Next is the offset behind the last finished object, or -1 if there is none.
func (m *Manifest) Next() int64 {
	next := int64(-1)
	for i := range m.Entries {
		if m.Entries[i].State == CopyFinished {
			next = m.Entries[i].Next
		}
	}
	return next
}

// finished is the objects that readers see.
func (m *Manifest) finished() []Entry { return m.in(CopyFinished) }

func (m *Manifest) in(s State) (list []Entry) {
	for _, e := range m.Entries {
		if e.State == s {
			list = append(list, e)
		}
	}
	return list
}

// clone is a copy to change.
func (m *Manifest) clone() *Manifest {
	c := *m
	c.Entries, c.Epochs = slices.Clone(m.Entries), slices.Clone(m.Epochs)
	return &c
}

// announce adds an object that is about to be copied.
func (m *Manifest) announce(e Entry) {
	e.State = CopyStarted
	m.Entries = append(m.Entries, e)
}

// finish replaces an announced object by what it became.
func (m *Manifest) finish(e Entry) {
	m.Entries = slices.DeleteFunc(m.Entries, func(x Entry) bool { return x.Key == e.Key })
	e.State = CopyFinished
	at := slices.IndexFunc(m.Entries, func(x Entry) bool { return x.State != CopyFinished })
	if at < 0 {
		at = len(m.Entries)
	}
	m.Entries = slices.Insert(m.Entries, at, e)
}

// condemn marks objects that readers must no longer see; it reports whether there were any.
func (m *Manifest) condemn(which func(Entry) bool) bool {
	any := false
	for i := range m.Entries {
		if m.Entries[i].State != DeleteStarted && which(m.Entries[i]) {
			m.Entries[i].State, any = DeleteStarted, true
		}
	}
	slices.SortStableFunc(m.Entries, func(a, b Entry) int { return rank(a) - rank(b) })
	return any
}

func rank(e Entry) int {
	if e.State == CopyFinished {
		return 0
	}
	return 1
}

// forget drops the entries of objects that were deleted.
func (m *Manifest) forget(keys map[string]bool) {
	m.Entries = slices.DeleteFunc(m.Entries, func(e Entry) bool { return keys[e.Key] })
}

// check verifies what Manifest promises.
func (m *Manifest) check() error {
	next, done := int64(-1), true
	for _, e := range m.Entries {
		switch {
		case e.State < CopyStarted || e.State > DeleteStarted || e.Kind != Raw && e.Kind != Parquet:
			return fmt.Errorf("%s has %v and kind %d", e.Key, e.State, e.Kind)
		case e.State != CopyFinished:
			done = false
			continue
		case !done:
			return fmt.Errorf("%s stands behind objects that are not finished", e.Key)
		case e.Base < 0 || e.Next <= e.Base || e.Size <= 0 || e.Tail <= 0 || e.Tail > e.Size:
			return fmt.Errorf("%s has offsets %d to %d, %d bytes, %d at its end", e.Key, e.Base, e.Next, e.Size, e.Tail)
		case next >= 0 && e.Base != next:
			return fmt.Errorf("%s begins at %d, the one before it ends at %d", e.Key, e.Base, next)
		}
		next = e.Next
	}
	return nil
}

const manifestMagic = "SFTMF\x00\x00\x01" // the last byte is the version

// Encode writes the manifest as docs/format/tier.md draws it.
func (m *Manifest) Encode() []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), manifestMagic...)
	b = le.AppendUint32(b, uint32(m.Version.Epoch))
	b = le.AppendUint64(b, m.Version.Generation)
	b = le.AppendUint64(b, uint64(m.Start))
	b = le.AppendUint32(b, uint32(len(m.Epochs)))
	for _, e := range m.Epochs {
		b = le.AppendUint32(b, uint32(e.Epoch))
		b = le.AppendUint64(b, uint64(e.Start))
	}
	b = le.AppendUint32(b, uint32(len(m.Entries)))
	for i := range m.Entries {
		b = m.Entries[i].append(b)
	}
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (e *Entry) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, byte(e.State), byte(e.Kind))
	b = le.AppendUint16(b, uint16(len(e.Key)))
	b = append(b, e.Key...)
	for _, v := range e.numbers() {
		b = le.AppendUint64(b, uint64(*v))
	}
	b = le.AppendUint32(b, uint32(e.LastEpoch))
	b = le.AppendUint32(b, e.TailCRC)
	return le.AppendUint32(b, e.CRC)
}

// numbers are the entry's 64-bit fields in the order of the format.
func (e *Entry) numbers() [9]*int64 {
	return [9]*int64{&e.Base, &e.Next, &e.Bytes, &e.Records, &e.MinTimestamp, &e.MaxTimestamp, &e.Appended, &e.Size, &e.Tail}
}

const minEntry = 2 + 2 + 9*8 + 3*4

var errShort = errors.New("it is cut short")

// DecodeManifest reads a manifest and checks it.
func DecodeManifest(b []byte) (*Manifest, error) {
	if len(b) < len(manifestMagic)+4 || string(b[:len(manifestMagic)]) != manifestMagic {
		return nil, errors.New("tier: not a manifest of this version")
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errors.New("tier: the manifest fails its CRC")
	}
	r := &reader{b: body[len(manifestMagic):]}
	m := &Manifest{Version: Version{Epoch: int32(r.u32()), Generation: uint64(r.i64())}, Start: r.i64()}
	for n := r.count(12); n > 0; n-- {
		m.Epochs = append(m.Epochs, logstore.EpochStart{Epoch: int32(r.u32()), Start: r.i64()})
	}
	for n := r.count(minEntry); n > 0; n-- {
		m.Entries = append(m.Entries, r.entry())
	}
	err := r.end()
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, fmt.Errorf("tier: the manifest is damaged: %w", err)
	}
	return m, nil
}

func (r *reader) entry() (e Entry) {
	e.State, e.Kind = State(r.u8()), Kind(r.u8())
	e.Key = string(r.take(int(r.u16())))
	for _, v := range e.numbers() {
		*v = r.i64()
	}
	e.LastEpoch, e.TailCRC, e.CRC = int32(r.u32()), r.u32(), r.u32()
	return e
}
