package share

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/logstore/group"
)

func show(p *Partition) string {
	var out []string
	for _, s := range p.spans {
		text := fmt.Sprintf("%d-%d %s", s.first, s.last, [...]string{"available", "acquired", "done"}[s.state])
		if s.state == Acquired {
			text += " by " + s.member
		}
		if s.count > 0 {
			text += fmt.Sprintf(" x%d", s.count)
		}
		out = append(out, text)
	}
	return fmt.Sprintf("from %d: %s", p.start, strings.Join(out, ", "))
}

func all(what int8, first, last int64) []Ack { return []Ack{{first, last, []int8{what}}} }

func TestPartitionReadsLikeAConversation(t *testing.T) {
	p := NewPartition(10, Limits{Deliveries: 2, LockMs: 100, Records: 20})
	want := func(what, state string) {
		t.Helper()
		if got := show(p); got != state {
			t.Errorf("%s: %s, want %s", what, got, state)
		}
	}
	say := func(want group.Code, now int64, member string, acks []Ack) {
		t.Helper()
		if got := p.Acknowledge(now, member, acks); got != want {
			t.Errorf("%s says %v: %v, want %v", member, acks, got, want)
		}
	}
	if got := p.Acquire(0, "a", 10, 19, 6); fmt.Sprint(got) != "[{10 15 1}]" {
		t.Errorf("%v", got)
	}
	p.Acquire(50, "b", 16, 19, 100)
	want("two members", "from 10: 10-15 acquired by a x1, 16-19 acquired by b x1")
	say(group.InvalidRecordState, 60, "b", all(Accept, 15, 16))
	say(group.InvalidRequest, 60, "a", []Ack{{10, 12, []int8{1, 2}}})
	say(group.OK, 60, "a", []Ack{{10, 12, []int8{Accept, Release, Reject}}, {15, 15, []int8{Accept}}})
	want("one done at the start, one back", "from 11: 11-11 available x1, 12-12 done, 13-14 acquired by a x1, 15-15 done, 16-19 acquired by b x1")
	say(group.OK, 90, "b", all(Renew, 18, 19))
	if !p.Expire(100) || p.Deadline() != 150 {
		t.Errorf("a's lock is over at 100; the next at %d", p.Deadline())
	}
	say(group.InvalidRecordState, 110, "a", all(Accept, 13, 13))
	if got := p.Acquire(110, "c", 11, 14, 100); fmt.Sprint(got) != "[{11 11 2} {13 14 2}]" {
		t.Errorf("%v", got)
	}
	p.Leave("c")
	want("delivered as often as they may be", "from 16: 16-17 acquired by b x1, 18-19 acquired by b x1")
	if p.Expire(150); p.Deadline() != 190 {
		t.Errorf("renewed until %d", p.Deadline())
	}
	if got := p.Acquire(160, "d", 20, 99, 100); fmt.Sprint(got) != "[{20 35 1}]" || !p.Full() {
		t.Errorf("%v: no more than 20 from the start", got)
	}
	p.Forget(18)
	want("the log begins later", "from 18: 18-19 acquired by b x1, 20-35 acquired by d x1")
	again, err := Decode(p.Encode(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p = again
	want("another node leads", "from 18: 18-35 available x1")
}

// TestPartitionAgainstAModel wants the spans to say what a table with a row for each record says.
func TestPartitionAgainstAModel(t *testing.T) {
	type row struct {
		state    State
		count    int16
		member   string
		deadline int64
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := Limits{Deliveries: 3, LockMs: 50, Records: 40}
		p := NewPartition(0, l)
		var rows []row // from offset 0
		back := func(x *row) {
			*x = row{state: Available, count: x.count}
			if x.count >= 3 {
				*x = row{state: Done}
			}
		}
		start := func() int64 {
			for i, x := range rows {
				if x.state != Done {
					return int64(i)
				}
			}
			return int64(len(rows))
		}
		for now := int64(0); now < 1000; now += r.Int64N(15) {
			member := string(rune('a' + r.IntN(3)))
			first := start() + r.Int64N(20)
			last := first + r.Int64N(8)
			switch r.IntN(6) {
			case 0, 1:
				most := 1 + r.Int64N(10)
				from, room := p.Next(), start()+40
				to := from + r.Int64N(12)
				p.Acquire(now, member, from, to, most)
				wasFull := int64(len(rows)) >= room
				for o := from; o <= to && most > 0; o++ {
					if o == int64(len(rows)) && !wasFull && o < room {
						rows = append(rows, row{})
					}
					if o < int64(len(rows)) && rows[o].state == Available {
						rows[o] = row{Acquired, rows[o].count + 1, member, now + 50}
						most--
					}
				}
			case 2, 3:
				what := int8(r.IntN(5))
				code := p.Acknowledge(now, member, all(what, first, last))
				good := last < int64(len(rows))
				for o := first; good && o <= last; o++ {
					good = rows[o].state == Acquired && rows[o].member == member
				}
				if good != (code == group.OK) {
					t.Fatalf("seed %d: %v", seed, code)
				}
				for o := first; good && o <= last; o++ {
					switch what {
					case Renew:
						rows[o].deadline = now + 50
					case Release:
						back(&rows[o])
					default:
						rows[o] = row{state: Done}
					}
				}
			case 4:
				p.Expire(now)
				for i := range rows {
					if rows[i].state == Acquired && rows[i].deadline <= now {
						back(&rows[i])
					}
				}
			case 5:
				p.Leave(member)
				for i := range rows {
					if rows[i].state == Acquired && rows[i].member == member {
						back(&rows[i])
					}
				}
			}
			if p.Start() != start() || p.end() != max(int64(len(rows)), start()) {
				t.Fatalf("seed %d: from %d to %d, want %d to %d: %s", seed, p.Start(), p.end(), start(), len(rows), show(p))
			}
			at := p.Start()
			for i, s := range p.spans {
				if s.first != at || i > 0 && alike(p.spans[i-1], s) {
					t.Fatalf("seed %d: %s", seed, show(p))
				}
				for ; at <= s.last; at++ {
					want := rows[at]
					if s.state != want.state || want.state != Done && (s.count != want.count || s.member != want.member || s.deadline != want.deadline) {
						t.Fatalf("seed %d: offset %d: %+v, want %+v", seed, at, s, want)
					}
				}
			}
			kept, err := Decode(p.Encode(), l)
			if err != nil || kept.Start() != p.Start() || kept.end() > p.end() {
				t.Fatalf("seed %d: %v: %s and %s", seed, err, show(p), show(kept))
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	p := NewPartition(5, Limits{})
	p.Acquire(0, "a", 5, 50, 10)
	p.Acknowledge(1, "a", all(Accept, 7, 9))
	f.Add(p.Encode())
	f.Add([]byte{1, 0, 1, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b, Limits{})
		if err != nil {
			return
		}
		q, err := Decode(p.Encode(), Limits{})
		if err != nil || show(p) != show(q) {
			t.Fatalf("%v: %s and %s", err, show(p), show(q))
		}
	})
}

// TestFormatExample compares the example of the format's description with what the code writes, and reads it back.
func TestFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/format/share-state.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex\n")
	block, _, _ := strings.Cut(rest, "```")
	want, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
	if err != nil {
		t.Fatal(err)
	}
	p := NewPartition(100, Limits{})
	p.Acquire(0, "a", 100, 104, 10)
	p.Acknowledge(1, "a", all(Accept, 101, 101))
	if got := p.Encode(); !slices.Equal(got, want) {
		t.Errorf("encoded as %x", got)
	}
	got, err := Decode(want, Limits{})
	if err != nil || show(got) != "from 100: 100-100 available x1, 101-101 done, 102-104 available x1" {
		t.Errorf("%v, %v", got, err)
	}
}

// BenchmarkAcquireAndAccept is a member that takes 500 records at a time, in batches of 20, and accepts all but every tenth.
func BenchmarkAcquireAndAccept(b *testing.B) {
	p := NewPartition(0, Limits{})
	types := make([]int8, 20)
	for i := range types {
		types[i] = Accept
	}
	types[9], types[19] = Release, Release
	b.ReportAllocs()
	for b.Loop() {
		var acks []Ack
		for len(acks) < 25 {
			at := p.Next()
			for _, r := range p.Acquire(0, "a", at, at+19, 20) {
				a := Ack{r.First, r.Last, []int8{Accept}}
				if r.Last-r.First == 19 {
					a.Types = types
				}
				acks = append(acks, a)
			}
		}
		slices.SortFunc(acks, func(x, y Ack) int { return int(x.First - y.First) })
		if code := p.Acknowledge(0, "a", acks); code != group.OK {
			b.Fatal(code)
		}
		p.Encode()
	}
}
