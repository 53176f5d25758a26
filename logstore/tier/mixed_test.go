package tier

import (
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/logstore/record"
)

// mixed appends records of every kind: all codecs, plain and transactional producers, commits and aborts that overlap.
func mixed(t *testing.T, n *node, seed uint64, records int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	codecs := []record.Codec{record.None, record.Gzip, record.Snappy, record.LZ4, record.Zstd}
	type producer struct {
		seq  int32
		open bool
	}
	producers := make([]producer, 3)
	for i := 0; i < records; {
		id := r.IntN(len(producers) + 1)
		b := record.NewBuilder(codecs[r.IntN(len(codecs))])
		if id > 0 {
			p := &producers[id-1]
			b.SetProducer(record.Producer{ID: int64(id), Epoch: 0, Sequence: p.seq})
			b.SetTransactional(true)
			p.open = true
		}
		count := 1 + r.IntN(9)
		for range count {
			if r.IntN(20) == 0 {
				b.Add(orderTime(i), nil, []byte{})
			} else {
				addOrder(b, i)
			}
			i++
		}
		out, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		n.append(out)
		if id > 0 {
			p := &producers[id-1]
			p.seq += int32(count)
			if r.IntN(4) == 0 {
				end(t, n, int64(id), r.IntN(2) == 0)
				p.open = false
			}
		}
	}
	for i, p := range producers {
		if p.open {
			end(t, n, int64(i+1), true)
		}
	}
	n.fill(records, 120) // so that what comes before is in sealed segments
}

func end(t *testing.T, n *node, id int64, commit bool) {
	t.Helper()
	if err := n.p.EndTxn(id, 0, commit); err != nil {
		t.Fatal(err)
	}
	if err := n.log.Sync(); err != nil {
		t.Fatal(err)
	}
}
