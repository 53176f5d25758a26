package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"
)

// A record of raft.journal holds the entries of one StoreLogs call; docs/format/meta.md draws it.
//
//	0 length u32, of what follows the header | 4 crc u32, of all else | 8 version u8, 3 zero | 12 entries u32 | 16 generation u64
//	24 entries, each: index u64, term u64, appended at i64 ns, type u8, data length u32, extensions length u32, both
//
// Records begin at multiples of 8. One without entries is a reset: what has a lower generation does not count.
const (
	frontVersion = 1
	frontHead    = 24
	entryHead    = 33
	frontAlign   = 8
)

func appendFrontRecord(dst []byte, gen uint64, logs []*raft.Log) []byte {
	le := binary.LittleEndian
	start := len(dst)
	dst = append(dst, make([]byte, frontHead)...)
	for _, l := range logs {
		dst = le.AppendUint64(dst, l.Index)
		dst = le.AppendUint64(dst, l.Term)
		at := int64(0)
		if !l.AppendedAt.IsZero() {
			at = l.AppendedAt.UnixNano()
		}
		dst = le.AppendUint64(dst, uint64(at))
		dst = append(dst, byte(l.Type))
		dst = le.AppendUint32(dst, uint32(len(l.Data)))
		dst = le.AppendUint32(dst, uint32(len(l.Extensions)))
		dst = append(append(dst, l.Data...), l.Extensions...)
	}
	rec := dst[start:]
	le.PutUint32(rec, uint32(len(rec)-frontHead))
	rec[8] = frontVersion
	le.PutUint32(rec[12:], uint32(len(logs)))
	le.PutUint64(rec[16:], gen)
	le.PutUint32(rec[4:], frontCRC(rec))
	for len(dst)%frontAlign != start%frontAlign {
		dst = append(dst, 0)
	}
	return dst
}

func frontCRC(rec []byte) uint32 {
	return crc32.Update(crc32.Checksum(rec[:4], castagnoli), castagnoli, rec[8:])
}

// frontRecord is the sound record at the start of b, or nil.
func frontRecord(b []byte) []byte {
	if len(b) < frontHead {
		return nil
	}
	le := binary.LittleEndian
	gen := le.Uint64(b[16:])
	n := uint64(frontHead) + uint64(le.Uint32(b))
	if gen == 0 || b[8] == 0 || b[9]|b[10]|b[11] != 0 || n > uint64(len(b)) {
		return nil
	}
	if rec := b[:n]; frontCRC(rec) == le.Uint32(rec[4:]) {
		return rec
	}
	return nil
}

func frontGen(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[16:]) }

var errShortEntry = errors.New("an entry is cut short")

// frontEntries decodes a sound record. The entries have memory of their own.
func frontEntries(rec []byte) ([]*raft.Log, error) {
	if rec[8] != frontVersion {
		return nil, fmt.Errorf("record version %d, this program reads %d", rec[8], frontVersion)
	}
	le := binary.LittleEndian
	count, b := le.Uint32(rec[12:]), append([]byte(nil), rec[frontHead:]...)
	var logs []*raft.Log
	for range count {
		if len(b) < entryHead {
			return nil, errShortEntry
		}
		l := &raft.Log{Index: le.Uint64(b), Term: le.Uint64(b[8:]), Type: raft.LogType(b[24])}
		if at := int64(le.Uint64(b[16:])); at != 0 {
			l.AppendedAt = time.Unix(0, at)
		}
		data, ext := uint64(le.Uint32(b[25:])), uint64(le.Uint32(b[29:]))
		if b = b[entryHead:]; uint64(len(b)) < data+ext {
			return nil, errShortEntry
		}
		l.Data, l.Extensions, b = b[:data:data], b[data:data+ext:data+ext], b[data+ext:]
		if ext == 0 {
			l.Extensions = nil
		}
		logs = append(logs, l)
	}
	return logs, nil
}

// frontRun is the unbroken sequence of one generation's records at the start of a half.
type frontRun struct {
	gen  uint64 // 0 for none
	recs [][]byte
	rest []byte
}

func readRun(half []byte) (r frontRun) {
	r.rest = half
	for {
		rec := frontRecord(r.rest)
		if rec == nil || (r.gen != 0 && frontGen(rec) != r.gen) {
			return r
		}
		r.gen = frontGen(rec)
		r.recs = append(r.recs, rec)
		r.rest = r.rest[min(len(r.rest), (len(rec)+frontAlign-1)&^(frontAlign-1)):]
	}
}

// frontFile is what a journal holds: its entries in order, its highest generation, and the half that is older. The other
// half may begin with a reset that the older one needs, so the older one is to be written over first.
type frontFile struct {
	logs  []*raft.Log
	gen   uint64
	older int64
}

// readFront reads a journal. A record is written when the one before it is durable: a sound one behind the end of its run
// proves damage.
func readFront(data []byte) (frontFile, error) {
	runs := [2]frontRun{readRun(data[:len(data)/2]), readRun(data[len(data)/2:])}
	var f frontFile
	if runs[0].gen > runs[1].gen {
		runs[0], runs[1] = runs[1], runs[0]
		f.older = 1
	}
	f.gen = runs[1].gen
	for _, r := range runs {
		for at := 0; at+frontHead <= len(r.rest); at += frontAlign {
			if rec := frontRecord(r.rest[at:]); rec != nil && (frontGen(rec) == r.gen || frontGen(rec) > f.gen) {
				return f, errors.New("the metadata journal is damaged: a record that was durable is unreadable, and others follow it")
			}
		}
		for _, rec := range r.recs {
			list, err := frontEntries(rec)
			if err != nil {
				return f, err
			}
			if len(list) == 0 {
				f.logs = nil // a reset
			}
			f.logs = append(f.logs, list...)
		}
	}
	return f, nil
}
