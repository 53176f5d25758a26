package nexmark

import (
	"strconv"

	"github.com/streamflow/streamflow/column"
)

// PersonRow, AuctionRow and BidRow are single events. Times are microseconds since the epoch.
type PersonRow struct {
	ID                                          int64
	Name, EmailAddress, CreditCard, City, State string
	DateTime                                    int64
	Extra                                       string
}

// AuctionRow is an auction; see PersonRow.
type AuctionRow struct {
	ID                                     int64
	ItemName, Description                  string
	InitialBid, Reserve, DateTime, Expires int64
	Seller, Category                       int64
	Extra                                  string
}

// BidRow is a bid; see PersonRow.
type BidRow struct {
	Auction, Bidder, Price int64
	Channel, URL           string
	DateTime               int64
	Extra                  string
}

// Person is the person at a place of its table.
func (g *Generator) Person(place int64) PersonRow {
	p := g.person(g.event(Person, place))
	return PersonRow{p.id, string(p.appendName(nil)), string(p.appendMail(nil)), string(p.appendCard(nil)), cities[p.city], states[p.state], p.time, string(p.extra)}
}

// Auction is the auction at a place of its table.
func (g *Generator) Auction(place int64) AuctionRow {
	a := g.auction(g.event(Auction, place))
	return AuctionRow{a.id, string(a.item), string(a.description), a.initialBid, a.reserve, a.time, a.expires, a.seller, a.category, string(a.extra)}
}

// Bid is the bid at a place of its table.
func (g *Generator) Bid(place int64) BidRow {
	b := g.bid(g.event(Bid, place))
	return BidRow{b.auction, b.bidder, b.price, g.names[b.channel], g.urls[b.channel], b.time, string(b.extra)}
}

// AppendJSON appends the row at a place of the kind's table as a JSON object. No string in it needs escapes.
func (g *Generator) AppendJSON(dst []byte, k Kind, place int64) []byte {
	event := g.event(k, place)
	switch k {
	case Person:
		p := g.person(event)
		dst = appendLong(dst, `{"id":`, p.id)
		dst = p.appendName(append(dst, `,"name":"`...))
		dst = p.appendMail(append(dst, `","emailAddress":"`...))
		dst = p.appendCard(append(dst, `","creditCard":"`...))
		dst = append(append(append(dst, `","city":"`...), cities[p.city]...), `","state":"`...)
		dst = append(append(dst, states[p.state]...), '"')
		dst = appendTime(dst, `,"dateTime":"`, p.time)
		dst = append(append(dst, `,"extra":"`...), p.extra...)
	case Auction:
		a := g.auction(event)
		dst = appendLong(dst, `{"id":`, a.id)
		dst = append(append(dst, `,"itemName":"`...), a.item...)
		dst = append(append(dst, `","description":"`...), a.description...)
		dst = appendLong(dst, `","initialBid":`, a.initialBid)
		dst = appendLong(dst, `,"reserve":`, a.reserve)
		dst = appendTime(dst, `,"dateTime":"`, a.time)
		dst = appendTime(dst, `,"expires":"`, a.expires)
		dst = appendLong(dst, `,"seller":`, a.seller)
		dst = appendLong(dst, `,"category":`, a.category)
		dst = append(append(dst, `,"extra":"`...), a.extra...)
	default:
		b := g.bid(event)
		dst = appendLong(dst, `{"auction":`, b.auction)
		dst = appendLong(dst, `,"bidder":`, b.bidder)
		dst = appendLong(dst, `,"price":`, b.price)
		dst = append(append(dst, `,"channel":"`...), g.names[b.channel]...)
		dst = append(append(dst, `","url":"`...), g.urls[b.channel]...)
		dst = appendTime(append(dst, '"'), `,"dateTime":"`, b.time)
		dst = append(append(dst, `,"extra":"`...), b.extra...)
	}
	return append(dst, `"}`...)
}

func appendLong(dst []byte, name string, v int64) []byte {
	return strconv.AppendInt(append(dst, name...), v, 10)
}

// appendTime appends a member with a time of whole milliseconds, its quotes included. Years have four digits.
func appendTime(dst []byte, name string, micros int64) []byte {
	dst = append(dst, name...)
	days, rest := column.SplitMicros(micros)
	year, month, day := column.CivilFromDays(days)
	start := len(dst)
	dst = append(dst, "2000-01-01T00:00:00.000Z\""...)
	at, ms := dst[start:], int(rest/1000)
	digits(at, year/100, year%100)
	for i, n := range [...]int{month, day, ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60} {
		digits(at[5+3*i:], n)
	}
	at[20] = byte('0' + ms/100%10)
	digits(at[21:], ms%100)
	return dst
}

// digits writes numbers below 100 with two digits each.
func digits(dst []byte, numbers ...int) {
	for i, n := range numbers {
		dst[2*i], dst[2*i+1] = byte('0'+n/10), byte('0'+n%10)
	}
}
