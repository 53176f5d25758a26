package nexmark

import "github.com/streamflow/streamflow/column"

// Batch makes the rows at places from to from+n-1 of the kind's table. The batch and its memory are new.
func (g *Generator) Batch(k Kind, from int64, n int) *column.Batch {
	switch k {
	case Person:
		return g.persons(from, n)
	case Auction:
		return g.auctions(from, n)
	}
	return g.bids(from, n)
}

// event is the event at a place of the kind's table.
func (g *Generator) event(k Kind, place int64) int64 { return k.event(g.conf.disordered(k, place)) }

// texts is a column of strings in the making: views over one buffer.
type texts struct {
	views []column.View
	buf   []byte
}

func newTexts(n, each int) *texts {
	return &texts{views: make([]column.View, 0, n), buf: make([]byte, 0, n*each)}
}

// end closes the string that was appended to buf from start on.
func (t *texts) end(start int) {
	s := t.buf[start:]
	t.views = append(t.views, column.MakeView(s, 0, uint32(start)))
	if len(s) <= column.InlineLen {
		t.buf = t.buf[:start]
	}
}

func (t *texts) add(s []byte) {
	start := len(t.buf)
	t.buf = append(t.buf, s...)
	t.end(start)
}

func (t *texts) vector() *column.Vector {
	return &column.Vector{Type: column.Of(column.String), N: len(t.views), Views: t.views, Bufs: [][]byte{t.buf}}
}

func longs(v []int64) *column.Vector {
	return &column.Vector{Type: column.Of(column.Int64), N: len(v), I64: v}
}

func times(v []int64) *column.Vector {
	return &column.Vector{Type: column.Of(column.Timestamp), N: len(v), I64: v}
}

func coded(codes []int32, dict *column.Vector) *column.Vector {
	return &column.Vector{Type: column.Of(column.String), N: len(codes), Codes: codes, Dict: dict}
}

// cut hands out n numbers of a slice and keeps the rest.
func cut(from *[]int64, n int) []int64 {
	out := (*from)[:n:n]
	*from = (*from)[n:]
	return out
}

func (g *Generator) bids(from int64, n int) *column.Batch {
	nums := make([]int64, 4*n)
	auctions, bidders, prices, at := cut(&nums, n), cut(&nums, n), cut(&nums, n), cut(&nums, n)
	codes, extra := make([]int32, n), newTexts(n, 82)
	for i := range n {
		b := g.bid(g.event(Bid, from+int64(i)))
		auctions[i], bidders[i], prices[i], at[i], codes[i] = b.auction, b.bidder, b.price, b.time, b.channel
		extra.add(b.extra)
	}
	return column.NewBatch(schemas[Bid], n, longs(auctions), longs(bidders), longs(prices), coded(codes, g.nameDict), coded(codes, g.urlDict), times(at), extra.vector())
}

func (g *Generator) auctions(from int64, n int) *column.Batch {
	nums := make([]int64, 7*n)
	ids, initial, reserve, at, expires, sellers, category := cut(&nums, n), cut(&nums, n), cut(&nums, n), cut(&nums, n), cut(&nums, n), cut(&nums, n), cut(&nums, n)
	items, descriptions, extra := newTexts(n, 20), newTexts(n, 100), newTexts(n, 550)
	for i := range n {
		a := g.auction(g.event(Auction, from+int64(i)))
		ids[i], initial[i], reserve[i], at[i], expires[i], sellers[i], category[i] = a.id, a.initialBid, a.reserve, a.time, a.expires, a.seller, a.category
		items.add(a.item)
		descriptions.add(a.description)
		extra.add(a.extra)
	}
	return column.NewBatch(schemas[Auction], n, longs(ids), items.vector(), descriptions.vector(), longs(initial), longs(reserve), times(at), times(expires),
		longs(sellers), longs(category), extra.vector())
}

var cityDict, stateDict = dictionary(cities), dictionary(states)

func (g *Generator) persons(from int64, n int) *column.Batch {
	nums := make([]int64, 2*n)
	ids, at := cut(&nums, n), cut(&nums, n)
	inCity, inState := make([]int32, n), make([]int32, n)
	names, mails, cards, extra := newTexts(n, 16), newTexts(n, 16), newTexts(n, 20), newTexts(n, 150)
	for i := range n {
		p := g.person(g.event(Person, from+int64(i)))
		ids[i], at[i], inCity[i], inState[i] = p.id, p.time, p.city, p.state
		names.grow(p.appendName)
		mails.grow(p.appendMail)
		cards.grow(p.appendCard)
		extra.add(p.extra)
	}
	return column.NewBatch(schemas[Person], n, longs(ids), names.vector(), mails.vector(), cards.vector(), coded(inCity, cityDict), coded(inState, stateDict),
		times(at), extra.vector())
}

// grow adds the string that appends itself.
func (t *texts) grow(appendTo func([]byte) []byte) {
	start := len(t.buf)
	t.buf = appendTo(t.buf)
	t.end(start)
}
