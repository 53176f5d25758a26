package record

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

func sample() []Record {
	return []Record{
		{Offset: 100, Timestamp: 1000, Key: []byte("k"), Value: []byte("v")},
		{Offset: 101, Timestamp: 990, Value: []byte{}},
		{Offset: 102, Timestamp: 5000, Key: []byte{}, Value: nil, Headers: []Header{{"h", []byte("1")}, {"", nil}, {"e", []byte{}}}},
		{Offset: 103, Timestamp: 1000, Value: []byte(strings.Repeat("long ", 5000))},
	}
}

func build(t testing.TB, c Codec, recs []Record) Batch {
	b := NewBuilder(c)
	for _, r := range recs {
		b.Add(r.Timestamp, r.Key, r.Value, r.Headers...)
	}
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	out.SetBaseOffset(recs[0].Offset)
	return out
}

func collect(b Batch) (list []Record, err error) {
	it := b.Records()
	for it.Next() {
		r := it.Record
		r.Headers = append([]Header(nil), r.Headers...)
		list = append(list, r)
	}
	return list, it.Err()
}

func TestRoundTrip(t *testing.T) {
	for _, c := range codecs {
		b := build(t, c, sample())
		if err := b.Validate(); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		got, err := collect(b)
		if err != nil || !reflect.DeepEqual(got, sample()) {
			t.Errorf("%v: got %d records, %v", c, len(got), err)
		}
		if b.Count() != 4 || b.LastOffset() != 103 || b.BaseTimestamp() != 1000 || b.MaxTimestamp() != 5000 || b.ProducerID() != -1 {
			t.Errorf("%v: header says %d records, last offset %d, times %d-%d", c, b.Count(), b.LastOffset(), b.BaseTimestamp(), b.MaxTimestamp())
		}
		if c != None && len(b) > 5000 {
			t.Errorf("%v: %d bytes: not compressed", c, len(b))
		}
	}
}

// TestForeignDecoder checks the bytes against a decoder that is not ours.
func TestForeignDecoder(t *testing.T) {
	b := build(t, None, sample())
	var foreign kmsg.RecordBatch
	if err := foreign.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	if foreign.FirstOffset != 100 || foreign.NumRecords != 4 || foreign.MaxTimestamp != 5000 || uint32(foreign.CRC) != b.CRC() || foreign.ProducerID != -1 {
		t.Errorf("header: %+v", foreign)
	}
	rest := foreign.Records
	for i, want := range sample() {
		var r kmsg.Record
		n, w := binary.Varint(rest)
		if err := r.ReadFrom(rest[:w+int(n)]); err != nil {
			t.Fatal(err)
		}
		rest = rest[w+int(n):]
		if !bytes.Equal(r.Value, want.Value) || !bytes.Equal(r.Key, want.Key) || len(r.Headers) != len(want.Headers) || r.OffsetDelta != int32(i) {
			t.Errorf("record %d: %+v", i, r)
		}
	}
}

func TestXerialSnappy(t *testing.T) {
	plain := build(t, None, sample())
	payload := append([]byte(nil), xerialMagic...)
	payload = append(payload, 0, 0, 0, 1, 0, 0, 0, 1)
	for rest := plain.Payload(); len(rest) > 0; {
		n := min(len(rest), 700)
		block := s2.EncodeSnappy(nil, rest[:n])
		payload = binary.BigEndian.AppendUint32(payload, uint32(len(block)))
		payload = append(payload, block...)
		rest = rest[n:]
	}
	b := Batch(Pack(nil, Meta{Attributes: Attr(Snappy), Count: 4, BaseTimestamp: 1000, MaxTimestamp: 5000, Producer: NoProducer}, payload))
	b.SetBaseOffset(100)
	if got, err := collect(b); err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %d records, %v", len(got), err)
	}
}

func TestBombIsRefused(t *testing.T) {
	zeros := make([]byte, MaxDecoded+1)
	for _, c := range codecs[1:] {
		payload, err := compress(c, nil, zeros)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decompress(c, nil, payload, MaxDecoded); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%v: %d bytes decompress: %v", c, len(payload), err)
		}
	}
}

func TestStampsKeepTheCRC(t *testing.T) {
	b := build(t, None, sample())
	b.SetBaseOffset(1 << 40)
	b.SetLeaderEpoch(9)
	if !b.CheckCRC() || b.BaseOffset() != 1<<40 || b.LeaderEpoch() != 9 {
		t.Error("stamping broke the batch")
	}
	b.SetLogAppendTime(77)
	recs, err := collect(b)
	if !b.CheckCRC() || err != nil || recs[0].Timestamp != 77 || recs[3].Timestamp != 77 {
		t.Errorf("log-append time: CRC %v, %v", b.CheckCRC(), err)
	}
}

func TestMarkers(t *testing.T) {
	b := Batch(AppendMarker(nil, ControlCommit, 5, 3, 11, 1234))
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	// key: version 0, type 1; value: version 0, coordinator epoch 11
	it := b.Records()
	if !it.Next() || hex.EncodeToString(it.Key) != "00000001" || hex.EncodeToString(it.Value) != "00000000000b" {
		t.Errorf("marker %x %x", it.Key, it.Value)
	}
	if a := b.Attributes(); !a.IsControl() || !a.IsTransactional() || b.ProducerID() != 5 || b.ProducerEpoch() != 3 || b.BaseSequence() != -1 {
		t.Errorf("marker attributes %x, producer %d/%d/%d", a, b.ProducerID(), b.ProducerEpoch(), b.BaseSequence())
	}
	if typ, _, err := b.Control(); typ != ControlCommit || err != nil {
		t.Errorf("type %d, %v", typ, err)
	}
}

func TestArrowPayloadIsOpaque(t *testing.T) {
	b := Batch(Pack(nil, Meta{Attributes: AttrArrow, Count: 1000, BaseTimestamp: 1, MaxTimestamp: 2, Producer: NoProducer}, []byte("arrow")))
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	if !b.Attributes().IsArrow() || b.LastOffset() != 999 || string(b.Payload()) != "arrow" {
		t.Errorf("attributes %x, last offset %d", b.Attributes(), b.LastOffset())
	}
	if _, err := collect(b); !errors.Is(err, ErrCorrupt) {
		t.Errorf("records of an Arrow batch: %v", err)
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	good := build(t, None, sample()[:3])
	for i := posMagic; i < len(good); i++ { // offset and epoch are stamped, and not covered
		b := append(Batch(nil), good...)
		b[i] ^= 1
		if b.Validate() == nil {
			t.Errorf("a flipped bit in byte %d passes", i)
		}
	}
	for n := range good {
		if good[:n].Validate() == nil {
			t.Errorf("a batch cut to %d bytes passes", n)
		}
	}
}

// TestDocumentedExample decodes the example of docs/format/record-batch.md.
func TestDocumentedExample(t *testing.T) {
	b := NewBuilder(None)
	b.Add(1_000_000, []byte("k"), []byte("hello"))
	got, _ := b.Finish()
	const want = "0000000000000000" + "0000003e" + "ffffffff" + "02" + "3ba1a194" + "0000" + "00000000" +
		"00000000000f4240" + "00000000000f4240" + "ffffffffffffffff" + "ffff" + "ffffffff" + "00000001" +
		"18" + "00" + "00" + "00" + "02" + "6b" + "0a" + "68656c6c6f" + "00"
	text := hex.EncodeToString(got)
	if text != want {
		t.Errorf("\n got %s\nwant %s", text, want)
	}
}

func FuzzBatch(f *testing.F) {
	for _, c := range codecs {
		b := NewBuilder(c)
		for _, r := range sample()[:3] {
			b.Add(r.Timestamp, r.Key, r.Value, r.Headers...)
		}
		out, _ := b.Finish()
		f.Add([]byte(out))
	}
	f.Add(AppendMarker(nil, ControlAbort, 5, 3, 11, 1234))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, rest, err := Next(data)
		if err != nil {
			return
		}
		if len(b)+len(rest) != len(data) {
			t.Fatal("Next lost bytes")
		}
		b = append(Batch(nil), b...)
		b.Seal() // look behind the CRC
		if b.Validate() != nil {
			return
		}
		n := 0
		it := b.Records()
		for it.Next() {
			n++
		}
		if it.Err() == nil && n != int(max(b.Count(), 0)) {
			t.Fatalf("%d records, header says %d", n, b.Count())
		}
		b.Control()
	})
}

func BenchmarkIterate(b *testing.B) {
	bl := NewBuilder(None)
	for i := range 1000 {
		bl.Add(int64(i), nil, []byte(strings.Repeat("x", 100)))
	}
	batch, _ := bl.Finish()
	var it Iterator
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		it.Reset(batch)
		for it.Next() {
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkBuild(b *testing.B) {
	bl, value := NewBuilder(None), []byte(strings.Repeat("x", 100))
	var out []byte
	for b.Loop() {
		for i := range 1000 {
			bl.Add(int64(i), nil, value)
		}
		out, _ = bl.AppendBatch(out[:0])
	}
	b.SetBytes(int64(len(out)))
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
