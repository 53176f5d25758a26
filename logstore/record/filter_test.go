package record

import (
	"fmt"
	"testing"
)

func TestFilterKeepsOffsetsTimesAndCodec(t *testing.T) {
	for _, codec := range []Codec{None, Gzip, Snappy, LZ4, Zstd} {
		b := NewBuilder(codec)
		b.SetProducer(Producer{ID: 7, Epoch: 2, Sequence: 40})
		for i := range 10 {
			b.Add(int64(1000+i), fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "v%d", i), Header{Key: "h", Value: []byte("x")})
		}
		in, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		in.SetBaseOffset(100)
		in.SetLeaderEpoch(5)
		for _, horizon := range []int64{NoHorizon, 5_000_000} {
			raw, err := Filter(nil, in, horizon, func(i int, r *Record) bool { return i%3 == 0 })
			if err != nil {
				t.Fatal(err)
			}
			out := Batch(raw)
			if err := out.Validate(); err != nil {
				t.Fatalf("%v: %v", codec, err)
			}
			if out.BaseOffset() != 100 || out.LastOffset() != 109 || out.LeaderEpoch() != 5 || out.Count() != 4 || out.MaxTimestamp() != 1009 ||
				out.ProducerID() != 7 || out.LastSequence() != 49 || out.Attributes().Codec() != codec {
				t.Errorf("%v: header %+v", codec, out[:HeaderSize])
			}
			if ms, ok := out.DeleteHorizon(); ok != (horizon >= 0) || ok && ms != horizon {
				t.Errorf("%v: horizon %d, %v", codec, ms, ok)
			}
			it := out.Records()
			for i := 0; it.Next(); i += 3 {
				if it.Offset != int64(100+i) || it.Timestamp != int64(1000+i) || string(it.Key) != fmt.Sprintf("k%d", i) || string(it.Value) != fmt.Sprintf("v%d", i) || len(it.Headers) != 1 {
					t.Errorf("%v: record %d: %+v", codec, i, it.Record)
				}
			}
			if it.Err() != nil {
				t.Error(it.Err())
			}
		}
		raw, err := Filter(nil, in, NoHorizon, func(int, *Record) bool { return false })
		if out := Batch(raw); err != nil || out.Validate() != nil || out.Count() != 0 || out.LastOffset() != 109 || out.LastSequence() != 49 || len(out) != HeaderSize {
			t.Errorf("%v: emptied: %x, %v", codec, raw, err)
		}
	}
}

func TestFiller(t *testing.T) {
	b := Batch(Filler([]byte("x"), 10, 1<<20, 3)[1:])
	if b.Validate() != nil || b.BaseOffset() != 10 || b.LastOffset() != 1<<20 || b.Count() != 0 || b.LeaderEpoch() != 3 || b.ProducerID() != -1 {
		t.Errorf("filler: %x", b)
	}
	if it := b.Records(); it.Next() || it.Err() != nil {
		t.Errorf("a filler has records: %v", it.Err())
	}
}
