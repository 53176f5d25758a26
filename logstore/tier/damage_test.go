package tier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestDamagedObjects: a flipped bit anywhere in an object gives an error with a place, or the right batches; never others,
// and never a panic. The same for columns: wrong values are never rows.
func TestDamagedObjects(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		store := newMemStore()
		n := newNode(t, store, topic)
		n.fill(0, 400)
		n.round()
		e := n.tier.Partitions()[0].entries[1]
		good := store.objs[e.Key]
		whole, err := openObject(context.Background(), store, e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := whole.load(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		wantRows := rowsText(t, whole)
		r := rand.New(rand.NewPCG(3, 4))
		found := 0
		for range 3000 {
			at := r.IntN(len(good))
			bad := bytes.Clone(good)
			bad[at] ^= 1 << r.IntN(8)
			store.objs[e.Key] = bad
			o, err := openObject(context.Background(), store, e)
			if err == nil {
				var got []byte
				if got, err = o.load(context.Background(), 0); err == nil && !bytes.Equal(got, want) {
					t.Fatalf("a flipped bit at byte %d gives other batches", at)
				}
				if text := rowsText(t, o); text != "" && text != wantRows {
					t.Fatalf("a flipped bit at byte %d of %d gives other rows", at, len(good))
				}
			}
			if err != nil {
				found++
				if !errors.Is(err, logstore.ErrCorruptMessage) {
					t.Fatalf("byte %d: %v", at, err)
				}
			}
		}
		if found < 500 {
			t.Errorf("only %d of 3000 flipped bits were found", found)
		}
		store.objs[e.Key] = good
	})
}

// rowsText reads all columns of the first row group; empty for an error, or where there are none.
func rowsText(t *testing.T, o *object) string {
	t.Helper()
	if o.names == nil {
		return ""
	}
	rows, err := o.read(context.Background(), 0, []string{ColOffset, ColTimestamp, ColKey, "id", "name", "price"})
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	for {
		b, err := rows.Next()
		if err != nil {
			break
		}
		for i := range b.N {
			for _, v := range b.Row(i) {
				switch x := v.(type) {
				case []byte:
					out.Write(x)
				default:
					out.WriteString(text(x))
				}
				out.WriteByte(',')
			}
		}
	}
	return out.String()
}

func FuzzRawObject(f *testing.F) {
	b := record.NewBuilder(record.None)
	b.Add(1, nil, []byte("x"))
	batch, _ := b.Finish()
	f.Add([]byte(batch), int64(len(batch)))
	f.Fuzz(func(t *testing.T, b []byte, n int64) {
		_ = checkBlock(b, Block{Base: 0, Next: 1, Bytes: n})
		_, _, _ = cut(b, asked{0, 1 << 40, 1 << 20})
	})
}

func text(x any) string { return fmt.Sprint(x) }

// TestVerify finds what is wrong in a store: a flipped bit, a missing object, a damaged manifest, objects that nobody knows.
func TestVerify(t *testing.T) {
	ctx := context.Background()
	topics(t, func(t *testing.T, topic Topic) {
		store := newMemStore()
		n := newNode(t, store, topic)
		n.fill(0, 600)
		n.round()
		verify := func() PartitionReport {
			t.Helper()
			list, err := Verify(ctx, store)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list[0]
		}
		r := verify()
		if _, next := n.p.Cold().Bounds(); r.Next != next || r.Objects < 2 || r.Records != next || r.Garbage != 0 || len(r.Damage) != 0 || r.Topic != topic.ID {
			t.Fatalf("%+v", r)
		}
		if names := TopicNames(n.dir); names[topic.ID] != topic.Name {
			t.Errorf("names: %v", names)
		}
		e := n.tier.Partitions()[0].entries
		store.objs[e[0].Key][50] ^= 1
		delete(store.objs, e[1].Key)
		store.objs[partitionID{topic.ID, 0}.dataKey(7, Version{0, 1}, Raw)] = []byte("x")
		if r := verify(); len(r.Damage) != 2 || r.Garbage != 1 {
			t.Errorf("%+v", r)
		}
		l := newLedger(store, partitionID{topic.ID, 0})
		if _, err := l.refresh(ctx); err != nil {
			t.Fatal(err)
		}
		store.objs[l.id.manifestKey(l.current.Version)][20] ^= 1
		if r := verify(); len(r.Damage) != 1 || r.Objects != 0 {
			t.Errorf("%+v", r)
		}
	})
}
