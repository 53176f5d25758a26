package tier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sort"

	"github.com/streamflow/streamflow/logstore"
)

// Block is a run of whole batches of an object: what is read and cached at once. In a raw object it is a range of bytes,
// in a Parquet object a row group.
type Block struct {
	Base, Next   int64 // offsets [Base, Next)
	Pos          int64 // raw: where it begins in the object; Parquet: 0
	Bytes        int64 // of the batches
	Records      int64
	MinTimestamp int64 // of records, milliseconds; -1 for none
	MaxTimestamp int64
	Flags        Flags
	CRC          uint32   // CRC32C of the batches
	Columns      []uint32 // Parquet: CRC32C of the bytes of each column in the row group
}

// Flags say what a Parquet row group does not tell by its columns alone; who wants that reads the batches.
type Flags uint8

const (
	HasMarks Flags = 1 << iota // control batches that move event time
	HasDead                    // records that the schema cannot decode
)

// Table is an object's own index: its blocks in offset order, without gaps, the aborted transactions that have records in
// them, and the state of producers behind the last batch (a partition snapshot, see docs/format/segment.md).
type Table struct {
	Blocks   []Block
	Aborted  []logstore.AbortedSpan
	Snapshot []byte
}

// at is the block that holds the offset, or -1.
func (t *Table) at(offset int64) int {
	i := sort.Search(len(t.Blocks), func(i int) bool { return t.Blocks[i].Next > offset })
	if i == len(t.Blocks) || t.Blocks[i].Base > offset {
		return -1
	}
	return i
}

// abortedIn lists the aborted transactions that have records in [from, to).
func (t *Table) abortedIn(from, to int64) (list []logstore.AbortedTxn) {
	for _, a := range t.Aborted {
		if a.Last >= from && a.First < to {
			list = append(list, logstore.AbortedTxn{ProducerID: a.ProducerID, FirstOffset: a.First})
		}
	}
	return list
}

const tableMagic = "SFTTB\x00\x00\x01" // the last byte is the version

func (t *Table) encode() []byte {
	le := binary.LittleEndian
	b := append([]byte(nil), tableMagic...)
	b = le.AppendUint32(b, uint32(len(t.Blocks)))
	for i := range t.Blocks {
		for _, v := range t.Blocks[i].numbers() {
			b = le.AppendUint64(b, uint64(*v))
		}
		b = append(b, byte(t.Blocks[i].Flags))
		b = le.AppendUint32(b, t.Blocks[i].CRC)
		b = le.AppendUint32(b, uint32(len(t.Blocks[i].Columns)))
		for _, c := range t.Blocks[i].Columns {
			b = le.AppendUint32(b, c)
		}
	}
	b = le.AppendUint32(b, uint32(len(t.Aborted)))
	for _, a := range t.Aborted {
		b = le.AppendUint64(b, uint64(a.ProducerID))
		b = le.AppendUint64(b, uint64(a.First))
		b = le.AppendUint64(b, uint64(a.Last))
	}
	b = le.AppendUint32(b, uint32(len(t.Snapshot)))
	b = append(b, t.Snapshot...)
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (b *Block) numbers() [7]*int64 {
	return [7]*int64{&b.Base, &b.Next, &b.Pos, &b.Bytes, &b.Records, &b.MinTimestamp, &b.MaxTimestamp}
}

func decodeTable(b []byte) (*Table, error) {
	if len(b) < len(tableMagic)+4 || string(b[:len(tableMagic)]) != tableMagic {
		return nil, errors.New("tier: not a table of this version")
	}
	body := b[:len(b)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errors.New("tier: an object's table fails its CRC")
	}
	r, t := &reader{b: body[len(tableMagic):]}, &Table{}
	for n := r.count(7*8 + 1 + 4 + 4); n > 0; n-- {
		var k Block
		for _, v := range k.numbers() {
			*v = r.i64()
		}
		k.Flags, k.CRC = Flags(r.u8()), r.u32()
		for m := r.count(4); m > 0; m-- {
			k.Columns = append(k.Columns, r.u32())
		}
		t.Blocks = append(t.Blocks, k)
	}
	for n := r.count(24); n > 0; n-- {
		t.Aborted = append(t.Aborted, logstore.AbortedSpan{ProducerID: r.i64(), First: r.i64(), Last: r.i64()})
	}
	t.Snapshot = r.take(r.count(1))
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("tier: an object's table is damaged: %w", err)
	}
	return t, t.check()
}

func (t *Table) check() error {
	for i, k := range t.Blocks {
		if k.Base >= k.Next || k.Bytes <= 0 || k.Pos < 0 || i > 0 && k.Base != t.Blocks[i-1].Next {
			return fmt.Errorf("tier: an object's table is damaged: block %d has offsets %d to %d and %d bytes at %d", i, k.Base, k.Next, k.Bytes, k.Pos)
		}
	}
	return nil
}
