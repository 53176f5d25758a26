package nexmark

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
)

var testConfig = Config{Seed: 7, TPS: 10_000}

// TestEventsAreTheSameHoweverTheyAreMade compares rows, batches of two cuts, and JSON.
func TestEventsAreTheSameHoweverTheyAreMade(t *testing.T) {
	g, again := NewGenerator(testConfig), NewGenerator(testConfig)
	for _, k := range Kinds {
		const n = 200
		whole, late := g.Batch(k, 0, n), again.Batch(k, 130, n-130)
		scanner := column.NewJSONScanner(k.Schema())
		for i := range int64(n) {
			if err := scanner.Scan(g.AppendJSON(nil, k, i)); err != nil {
				t.Fatal(err)
			}
		}
		parsed := scanner.Finish(nil)
		for i := range n {
			want := fmt.Sprint(whole.Row(i))
			if got := fmt.Sprint(parsed.Row(i)); got != want {
				t.Fatalf("%v %d as JSON is %s, want %s", k, i, got, want)
			}
			if got := rowOf(g, k, int64(i)); got != want {
				t.Fatalf("%v %d alone is %s, want %s", k, i, got, want)
			}
			if i >= 130 && fmt.Sprint(late.Row(i-130)) != want {
				t.Fatalf("%v %d of another batch is %v, want %s", k, i, late.Row(i-130), want)
			}
		}
	}
}

// rowOf prints a single row as a batch's row prints.
func rowOf(g *Generator, k Kind, place int64) string {
	switch k {
	case Person:
		p := g.Person(place)
		return fmt.Sprint([]any{p.ID, p.Name, p.EmailAddress, p.CreditCard, p.City, p.State, p.DateTime, p.Extra})
	case Auction:
		a := g.Auction(place)
		return fmt.Sprint([]any{a.ID, a.ItemName, a.Description, a.InitialBid, a.Reserve, a.DateTime, a.Expires, a.Seller, a.Category, a.Extra})
	}
	b := g.Bid(place)
	return fmt.Sprint([]any{b.Auction, b.Bidder, b.Price, b.Channel, b.URL, b.DateTime, b.Extra})
}

// near fails unless a share is what it should be, by a percent point.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.01 {
		t.Errorf("%s: %.3f, want %.3f", what, got, want)
	}
}

// TestProportions holds the stream against the published rules.
func TestProportions(t *testing.T) {
	const events = 500_000
	g := NewGenerator(testConfig)
	bids, auctions := Bid.Rows(events), Auction.Rows(events)
	if p := Person.Rows(events); p != events/50 || auctions != 3*p || bids != 46*p {
		t.Fatalf("%d persons, %d auctions, %d bids", p, auctions, bids)
	}
	var hotAuction, hotBidder, selected, cheap, dear, hotChannel, noID, size float64
	for i := range bids {
		b := g.Bid(i)
		event := Bid.event(i)
		count := func(n *float64, is bool) {
			if is {
				*n++
			}
		}
		count(&hotAuction, b.Auction == lastAuction(event)/100*100+1000)
		count(&hotBidder, b.Bidder == lastPerson(event)/100*100+2001)
		count(&selected, b.Auction%123 == 0)
		count(&cheap, b.Price < 10_000)
		count(&dear, b.Price >= 1_000_000)
		count(&hotChannel, !strings.HasPrefix(b.Channel, "channel-"))
		count(&noID, strings.HasPrefix(b.Channel, "channel-") && !strings.Contains(b.URL, "channel_id="))
		size += float64(len(b.Extra) + 32)
		if len(b.Extra) < 54 || len(b.Extra) > 81 || b.Price < 100 || b.Price > 100_000_000 {
			t.Fatalf("bid %d: %+v", i, b)
		}
	}
	n := float64(bids)
	near(t, "bids on the hot auction", hotAuction/n, 0.5+0.5/110)
	near(t, "bids of the hot bidder", hotBidder/n, 0.75)
	near(t, "auctions that q2 takes", selected/n, 1.0/123)
	near(t, "prices below 10,000", cheap/n, 1.0/3)
	near(t, "prices from 1,000,000", dear/n, 1.0/3)
	near(t, "hot channels", hotChannel/n, 0.5)
	near(t, "bids without a channel's number", noID/n, 0.05)
	near(t, "bytes of a bid, in hundreds", size/n/100, 0.995)
	var hotSeller, length float64
	for i := range auctions {
		a := g.Auction(i)
		if a.Seller == lastPerson(Auction.event(i))/100*100+1000 {
			hotSeller++
		}
		if a.Category < 10 || a.Category > 14 || a.Expires <= a.DateTime || a.Reserve <= a.InitialBid {
			t.Fatalf("auction %d: %+v", i, a)
		}
		length += float64(a.Expires-a.DateTime) / 1e6
	}
	near(t, "auctions of the hot seller", hotSeller/float64(auctions), 0.75)
	near(t, "seconds that an auction runs", length/float64(auctions), 0.1666)
}

// TestTime checks that event time follows the rate, in whole milliseconds, and does not overflow.
func TestTime(t *testing.T) {
	for _, c := range []struct {
		tps, event, want int64
	}{{1000, 0, 0}, {1000, 1, 1000}, {10_000, 19, 1000}, {3, 4, 1_333_000}, {100_000, 50_000_000, 500_000_000}, {1_000_000_000, 1_000_000_000_000, 1000_000_000}} {
		if got := (Config{TPS: c.tps}).timeOf(c.event) - DefaultBaseTime; got != c.want {
			t.Errorf("event %d at %d a second: %d, want %d", c.event, c.tps, got, c.want)
		}
	}
}

// TestDisorder checks that a disordered table has the rows of the ordered one, not in their order.
func TestDisorder(t *testing.T) {
	c := testConfig
	c.Disorder = 1000
	seen, backwards := map[int64]bool{}, 0
	const n = 9200 // ten groups of bids
	last := int64(-1)
	for place := range int64(n) {
		row := c.disordered(Bid, place)
		if seen[row] || row < 0 || row >= n {
			t.Fatalf("place %d has row %d", place, row)
		}
		seen[row] = true
		if row < last {
			backwards++
		}
		last = row
	}
	if backwards < n/100 {
		t.Errorf("only %d rows come after a later one", backwards)
	}
}

func TestRows(t *testing.T) {
	for events := range int64(120) {
		sum := int64(0)
		for _, k := range Kinds {
			n := k.Rows(events)
			sum += n
			if n > 0 && k.event(n-1) >= events || k.event(n) < events {
				t.Fatalf("%d events hold %d of %v", events, n, k)
			}
		}
		if sum != events {
			t.Fatalf("%d events are %d rows", events, sum)
		}
	}
}

func TestQueriesSayWhereTheyComeFrom(t *testing.T) {
	check := func(q Query, name, file string) {
		t.Helper()
		if q.Name != name || !strings.HasPrefix(q.SQL, "-- "+name+": ") || !strings.Contains(q.SQL, "-- source: nexmark/nexmark, "+file) {
			t.Errorf("query %s: %s\n%s", name, q.Name, q.SQL)
		}
		if _, err := QueryByName(q.Name); err != nil {
			t.Error(err)
		}
	}
	for i, q := range Queries() {
		check(q, fmt.Sprint("q", i), fmt.Sprintf("queries/q%d.sql", i))
	}
	for i, q := range Patterns() {
		check(q, fmt.Sprint("cep", i), fmt.Sprintf("queries-cep/q%d.sql", i))
	}
	if n, m := len(Queries()), len(Patterns()); n != 24 || m != 4 {
		t.Errorf("%d queries and %d patterns", n, m)
	}
	if _, err := QueryByName("q24"); err == nil {
		t.Error("q24 is found")
	}
}

// TestJSONTimes checks the hand-made text of times against the standard library's.
func TestJSONTimes(t *testing.T) {
	for _, us := range []int64{-1000, 0, 999_000, 951_782_399_999_000, DefaultBaseTime + 86_399_123_000} {
		var got struct{ T string }
		if err := json.Unmarshal(append(appendTime(nil, `{"T":"`, us), '}'), &got); err != nil {
			t.Fatal(err)
		}
		if want := time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000Z"); got.T != want {
			t.Errorf("%d is %s, want %s", us, got.T, want)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	g := NewGenerator(testConfig)
	for _, k := range Kinds {
		b.Run(k.String(), func(b *testing.B) {
			from := int64(0)
			for b.Loop() {
				g.Batch(k, from, 8192)
				from += 8192
			}
			b.ReportMetric(8192*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	g := NewGenerator(testConfig)
	var buf []byte
	place := int64(0)
	for b.Loop() {
		buf = g.AppendJSON(buf[:0], Bid, place)
		place++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
