package nexmark

import (
	"fmt"
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// Generator makes the events of a configuration. It may be used by several goroutines at once.
type Generator struct {
	conf    Config
	letters pool
	words   pool // with blanks
	names   []string
	urls    []string
	// The same two as dictionaries.
	nameDict, urlDict *column.Vector
}

// NewGenerator prepares a stream. The configuration must pass Check.
func NewGenerator(c Config) *Generator {
	g := &Generator{conf: c, letters: newPool(c.Seed, false), words: newPool(c.Seed+1, true)}
	r := randomOf(c.Seed, -1)
	dir := func() []byte { return g.letters.word(&r, 5) }
	base := func() string {
		return fmt.Sprintf("https://www.nexmark.com/%s/%s/%s/item.htm?query=1", dir(), dir(), dir())
	}
	for _, name := range hotChannels {
		g.names, g.urls = append(g.names, name), append(g.urls, base())
	}
	for i := range channels {
		url := base()
		if r.hot(10) {
			id := int32(bits.Reverse32(uint32(i)))
			url += fmt.Sprintf("&channel_id=%d", max(id, -id))
		}
		g.names, g.urls = append(g.names, fmt.Sprintf("channel-%d", i)), append(g.urls, url)
	}
	g.nameDict, g.urlDict = dictionary(g.names), dictionary(g.urls)
	return g
}

// Config is what the generator was made with.
func (g *Generator) Config() Config { return g.conf }

func dictionary(words []string) *column.Vector {
	b := column.NewBuilder(column.Of(column.String))
	for _, w := range words {
		b.AppendString(w)
	}
	return b.Finish()
}

var (
	hotChannels = []string{"Google", "Facebook", "Baidu", "Apple"}
	firstNames  = []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	lastNames   = []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	states      = []string{"AZ", "CA", "ID", "OR", "WA", "WY"}
	cities      = []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"}
)

// somebody is the number of a person who is active at an event, or of one who comes soon.
func somebody(r *random, event int64) int64 {
	people := lastPerson(event) + 1
	active := min(people, activePeople)
	return people - active + r.below(active+idLead)
}

// something is the number of an auction that is open at an event, or of one that comes soon.
func something(r *random, event int64) int64 {
	last := lastAuction(event)
	first := max(last-inFlightAuctions, 0)
	return first + r.below(last-first+1+idLead)
}

// person is a drawn person. Its strings lie in the generator's pools and lists.
type person struct {
	id, time        int64
	first, last     int32
	mailbox, domain []byte
	card            [4]int16
	city, state     int32
	extra           []byte
}

func (g *Generator) person(event int64) (p person) {
	r := randomOf(g.conf.Seed, event)
	p.id, p.time = lastPerson(event)+firstPerson, g.conf.timeOf(event)
	p.first, p.last = int32(r.below(int64(len(firstNames)))), int32(r.below(int64(len(lastNames))))
	p.mailbox, p.domain = g.letters.word(&r, 7), g.letters.word(&r, 5)
	for i := range p.card {
		p.card[i] = int16(r.below(10_000))
	}
	p.city, p.state = int32(r.below(int64(len(cities)))), int32(r.below(int64(len(states))))
	size := 8 + int64(len(firstNames[p.first])+1+len(lastNames[p.last])+len(p.mailbox)+1+len(p.domain)+4+19+len(cities[p.city])+len(states[p.state]))
	p.extra = g.letters.extra(&r, size, personBytes)
	return p
}

func (p *person) appendName(dst []byte) []byte {
	return append(append(append(dst, firstNames[p.first]...), ' '), lastNames[p.last]...)
}

func (p *person) appendMail(dst []byte) []byte {
	return append(append(append(append(dst, p.mailbox...), '@'), p.domain...), ".com"...)
}

func (p *person) appendCard(dst []byte) []byte {
	for i, n := range p.card {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, '0'+byte(n/1000), '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
	}
	return dst
}

// auction is a drawn auction.
type auction struct {
	id, initialBid, reserve, time, expires, seller, category int64
	item, description, extra                                 []byte
}

func (g *Generator) auction(event int64) (a auction) {
	r := randomOf(g.conf.Seed, event)
	a.id, a.time = lastAuction(event)+firstAuction, g.conf.timeOf(event)
	if r.hot(hotSellers) {
		a.seller = lastPerson(event)/hotEvery*hotEvery + firstPerson
	} else {
		a.seller = somebody(&r, event) + firstPerson
	}
	a.category = firstCategory + r.below(categories)
	a.initialBid = r.price()
	a.expires = a.time + g.length(&r, event, a.time)
	a.item, a.description = g.words.word(&r, 20), g.words.word(&r, 100)
	a.reserve = a.initialBid + r.price()
	a.extra = g.letters.extra(&r, int64(8+len(a.item)+len(a.description)+5*8), auctionBytes)
	return a
}

// length is how long an auction runs, in microseconds: on average until as many auctions have begun as run at a time.
func (g *Generator) length(r *random, event, now int64) int64 {
	horizonMs := (g.conf.timeOf(event+inFlightAuctions*epochEvents/auctionsIn) - now) / 1000
	return (1 + r.below(max(2*horizonMs, 1))) * 1000
}

// bid is a drawn bid; channel is the place of its channel and URL in the generator's lists.
type bid struct {
	auction, bidder, price, time int64
	channel                      int32
	extra                        []byte
}

func (g *Generator) bid(event int64) (b bid) {
	r := randomOf(g.conf.Seed, event)
	b.time = g.conf.timeOf(event)
	if r.hot(hotAuctions) {
		b.auction = lastAuction(event)/hotEvery*hotEvery + firstAuction
	} else {
		b.auction = something(&r, event) + firstAuction
	}
	if r.hot(hotBidders) {
		b.bidder = lastPerson(event)/hotEvery*hotEvery + 1
	} else {
		b.bidder = somebody(&r, event)
	}
	b.bidder += 2 * firstPerson
	b.price = r.price()
	if r.hot(2) {
		b.channel = int32(r.below(int64(len(hotChannels))))
	} else {
		b.channel = int32(len(hotChannels)) + int32(r.below(channels))
	}
	b.extra = g.letters.extra(&r, 4*8, bidBytes)
	return b
}

// Time is the event time of the row at a place of the kind's table, in microseconds.
func (g *Generator) Time(k Kind, place int64) int64 { return g.conf.timeOf(g.event(k, place)) }
