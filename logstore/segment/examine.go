package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// Examination is what Examine found in a segment's files. It changes nothing, and goes on behind damage.
type Examination struct {
	Base    int64
	Size    int64 // of the file
	Sound   int64 // bytes up to the end of the last sound batch
	Next    int64 // the offset behind the last sound batch; Base if there is none
	Batches int64
	Records int64
	SHA256  string

	Regions   []Region
	Index     string // what is wrong with the offset index; "" if nothing
	TimeIndex string
	Indexed   bool // both index files are there and sound, and cover the whole file
}

// Region is bytes of the file that are no sound batch, or a batch that does not follow the one before it.
type Region struct {
	From, To int64 // bytes; To is where the next sound batch begins, or the end of the file
	First    int64 // the offset that belongs there
	Next     int64 // the offset at which the log goes on; First if nothing is known to be missing
	Why      string
	Tail     bool // nothing sound comes behind it
}

// Examine reads a segment's file from its start to its end, and compares the index files with it. each, which may be nil, is
// given every sound batch.
func Examine(fs vfs.FS, dir string, base int64, ext string, each func(pos int64, b record.Batch)) (Examination, error) {
	x := &examiner{Examination: Examination{Base: base, Next: base}, each: each, hash: sha256.New(), before: noTimestamp}
	name := path.Join(dir, Name(base, ext))
	f, err := fs.Open(name)
	if err != nil {
		return x.Examination, fmt.Errorf("segment: %w", err)
	}
	defer f.Close()
	if x.Size, err = f.Size(); err != nil {
		return x.Examination, fmt.Errorf("segment: %w", err)
	}
	if _, err := io.Copy(x.hash, io.NewSectionReader(f, 0, x.Size)); err != nil {
		return x.Examination, fmt.Errorf("segment: read %s: %w", name, err)
	}
	x.SHA256 = hex.EncodeToString(x.hash.Sum(nil))
	if ext == LogExt {
		x.loadIndex(fs, dir)
	}
	if err := x.run(&scanner{file: f, size: x.Size}); err != nil {
		return x.Examination, fmt.Errorf("segment: read %s: %w", name, err)
	}
	x.finishIndex()
	return x.Examination, nil
}

type examiner struct {
	Examination
	each func(pos int64, b record.Batch)
	hash hash.Hash

	have   bool // an index that can be compared
	sum    Summary
	points index
	seen   int   // points that were met
	before int64 // greatest timestamp so far
	atSum  bool  // the place where the index's cover ends was met, and the index says so rightly
}

// loadIndex reads the index files.
func (x *examiner) loadIndex(fs vfs.FS, dir string) {
	b, err := vfs.ReadFile(fs, path.Join(dir, Name(x.Base, IndexExt)))
	if err == nil {
		x.sum, x.points, err = decodeIndex(b)
	}
	switch {
	case vfs.IsNotExist(err):
		x.Index = "it is missing"
	case err != nil:
		x.Index = err.Error()
	case x.sum.Base != x.Base:
		x.Index = fmt.Sprintf("it belongs to the segment at offset %d", x.sum.Base)
	case x.sum.Bytes > x.Size:
		x.Index = fmt.Sprintf("it covers %d bytes, the segment has %d", x.sum.Bytes, x.Size)
	}
	t, err := vfs.ReadFile(fs, path.Join(dir, Name(x.Base, TimeIndexExt)))
	if err == nil && x.Index == "" {
		err = joinTimeIndex(t, x.sum, x.points)
	} else if err == nil {
		_, err = checkEnvelope(t, timeIndexMagic, timeIndexHead, 12)
	}
	switch {
	case vfs.IsNotExist(err):
		x.TimeIndex = "it is missing"
	case errors.Is(err, errDisagree):
		x.Index, x.TimeIndex = err.Error(), err.Error() // one of them lies
	case err != nil:
		x.TimeIndex = err.Error()
	}
	x.have = x.Index == "" && x.TimeIndex == ""
}

// run goes over the file.
func (x *examiner) run(sc *scanner) error {
	for pos := int64(0); pos < x.Size; {
		b, err := sc.batch(pos)
		if err == nil {
			err = b.Validate()
		}
		why := ""
		switch {
		case err != nil && !asDamage(err):
			return err
		case err != nil:
			why = err.Error()
		case b.BaseOffset() < x.Next:
			why = fmt.Sprintf("offset %d comes where %d belongs", b.BaseOffset(), x.Next)
		}
		if err == nil && b.BaseOffset() != x.Next {
			misplaced, merr := x.misplaced(sc, pos, b)
			if merr != nil {
				return merr
			}
			if misplaced > 0 {
				x.Regions = append(x.Regions, Region{From: pos, To: misplaced, First: x.Next, Next: x.Next + int64(b.LastOffsetDelta()) + 1,
					Why: fmt.Sprintf("offset %d comes where %d belongs, and the batch behind it goes on from there", b.BaseOffset(), x.Next)})
				x.Next += int64(b.LastOffsetDelta()) + 1
				pos = misplaced
				continue
			}
			if b, err = sc.batch(pos); err != nil { // looking ahead has moved the buffer
				return err
			}
		}
		if why != "" {
			to, next, found, err := resync(sc, pos+1, x.Next)
			if err != nil {
				return err
			}
			x.Regions = append(x.Regions, Region{From: pos, To: to, First: x.Next, Next: max(next, x.Next), Why: why, Tail: !found})
			pos = to
			if found {
				x.Next = next
			}
			continue
		}
		if b.BaseOffset() > x.Next {
			x.Regions = append(x.Regions, Region{From: pos, To: pos, First: x.Next, Next: b.BaseOffset(),
				Why: fmt.Sprintf("offset %d comes where %d belongs", b.BaseOffset(), x.Next)})
		}
		x.take(pos, b)
		pos += int64(len(b))
	}
	return nil
}

// misplaced tells whether only the base offset of a batch is wrong, which its CRC does not cover: the batch behind it goes on as
// if it were right. It returns where that one begins, or 0.
func (x *examiner) misplaced(sc *scanner, pos int64, b record.Batch) (int64, error) {
	at, next := pos+int64(len(b)), x.Next+int64(b.LastOffsetDelta())+1
	if at >= x.Size {
		return 0, nil
	}
	after, err := sc.batch(at)
	if err != nil && !asDamage(err) {
		return 0, err
	}
	if err == nil && after.Validate() == nil && after.BaseOffset() == next {
		return at, nil
	}
	return 0, nil
}

// take notes a sound batch.
func (x *examiner) take(pos int64, b record.Batch) {
	if x.have {
		x.compare(pos, b)
	}
	x.Batches++
	x.Next, x.Sound = b.LastOffset()+1, pos+int64(len(b))
	if !b.Attributes().IsControl() {
		x.Records += int64(b.Count())
		x.before = max(x.before, b.MaxTimestamp())
	}
	if x.have && x.Sound == x.sum.Bytes {
		x.atSum = x.sum.Next == x.Next && x.sum.Records == x.Records && x.sum.MaxTimestamp == x.before
	}
	if x.each != nil {
		x.each(pos, b)
	}
}

// compare looks whether a point of the index is the place of its batch.
func (x *examiner) compare(pos int64, b record.Batch) {
	if x.seen < len(x.points) && int64(x.points[x.seen].pos) == pos {
		want := entry{rel: uint32(b.BaseOffset() - x.Base), pos: uint32(pos), before: x.before}
		if x.points[x.seen].rel != want.rel && x.Index == "" {
			x.Index = fmt.Sprintf("entry %d says offset %d, the batch at byte %d has %d", x.seen, x.Base+int64(x.points[x.seen].rel), pos, b.BaseOffset())
		}
		if x.points[x.seen].before != want.before && x.TimeIndex == "" {
			x.TimeIndex = fmt.Sprintf("entry %d says timestamp %d, the batches before byte %d reach %d", x.seen, x.points[x.seen].before, pos, x.before)
		}
		x.seen++
	}
}

func (x *examiner) finishIndex() {
	if !x.have {
		return
	}
	if x.sum.Bytes == 0 {
		x.atSum = true
	}
	if len(x.Regions) == 0 && x.Index == "" && (x.seen != len(x.points) || !x.atSum) {
		x.Index = "it does not say what the batches say"
	}
	x.Indexed = x.Index == "" && x.TimeIndex == "" && x.sum.Bytes == x.Size
}

// resync finds the next sound batch behind a position that does not go back below an offset.
func resync(sc *scanner, pos, next int64) (at, base int64, found bool, err error) {
	for ; pos+record.HeaderSize <= sc.size; pos++ {
		head, err := sc.at(pos, record.HeaderSize)
		if err != nil {
			return 0, 0, false, err
		}
		if len(head) < record.HeaderSize {
			break
		}
		if !mayBeBatch(head, next, sc.size-pos) {
			continue
		}
		b, err := sc.batch(pos)
		if err == nil && b.Validate() == nil {
			return pos, b.BaseOffset(), true, nil
		}
	}
	return sc.size, next, false, nil
}

// mayBeBatch looks at what costs nothing: most of a file is anything but the start of a batch.
func mayBeBatch(head []byte, next, left int64) bool {
	b := record.Batch(head)
	if b.Magic() != 2 || b.BaseOffset() < next || b.BaseOffset() > next+1<<31 {
		return false
	}
	n, err := record.PeekSize(head)
	return err == nil && int64(n) <= left
}
