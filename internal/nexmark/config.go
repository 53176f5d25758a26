package nexmark

import (
	"errors"
	"fmt"
)

// Published proportions and sizes of the generator's configuration.
const (
	epochEvents = 50
	personsIn   = 1 // of an epoch
	auctionsIn  = 3
	bidsIn      = 46

	firstPerson   = 1000
	firstAuction  = 1000
	firstCategory = 10
	categories    = 5

	activePeople     = 1000 // persons who bid and sell at a time
	inFlightAuctions = 100
	idLead           = 10  // ids that do not exist yet and are drawn all the same
	hotEvery         = 100 // hot ids move when so many persons or auctions have come
	hotSellers       = 4   // 3 of 4 auctions are a hot seller's
	hotAuctions      = 2   // 1 of 2 bids is for the hot auction
	hotBidders       = 4
	channels         = 10_000
	personBytes      = 200 // average sizes, which extra pads to
	auctionBytes     = 500
	bidBytes         = 100
)

// DefaultBaseTime is the event time of the first event in microseconds: 2015-07-15 00:00:00 UTC, as in Apache Beam's suite.
const DefaultBaseTime = 1_436_918_400_000_000

// Config says which stream is made.
type Config struct {
	Seed int64
	// TPS is how many events there are in a second of event time. It says nothing about how fast they are made.
	TPS int64
	// BaseTime is the first event's time, in microseconds since the epoch; 0 is DefaultBaseTime.
	BaseTime int64
	// Disorder is the number of events within which rows of a kind come in another order than their time's; up to 1 is none.
	Disorder int64
}

// Check reports what cannot be made.
func (c Config) Check() error {
	if c.TPS < 1 || c.TPS > 1_000_000_000 {
		return fmt.Errorf("events in a second of event time must be 1 to 1000000000, got %d", c.TPS)
	}
	if c.Disorder < 0 {
		return errors.New("disorder must not be negative")
	}
	return nil
}

// Kind is one of the three kinds of events.
type Kind int

// The kinds, by the names of their tables.
const (
	Person Kind = iota
	Auction
	Bid
)

// Kinds are all of them.
var Kinds = []Kind{Person, Auction, Bid}

func (k Kind) String() string { return [...]string{"person", "auction", "bid"}[k] }

// share is where in an epoch the kind's events begin and how many they are.
func (k Kind) share() (first, n int64) {
	switch k {
	case Person:
		return 0, personsIn
	case Auction:
		return personsIn, auctionsIn
	}
	return personsIn + auctionsIn, bidsIn
}

// Rows is how many rows of the kind there are among the first events.
func (k Kind) Rows(events int64) int64 {
	first, n := k.share()
	return events/epochEvents*n + max(0, min(n, events%epochEvents-first))
}

// event is the number of the kind's row in the stream.
func (k Kind) event(row int64) int64 {
	first, n := k.share()
	return row/n*epochEvents + first + row%n
}

// disordered is the row that comes at a place of the kind's table: within groups the published generator's permutation.
func (c Config) disordered(k Kind, place int64) int64 {
	_, n := k.share()
	group := c.Disorder * n / epochEvents
	if group <= 1 {
		return place
	}
	if group%stride == 0 {
		group++
	}
	return place/group*group + place%group*stride%group
}

// stride is prime, so that multiples of it visit every place of a group that it does not divide.
const stride = 953

// timeOf is the event's time in microseconds, whole milliseconds.
func (c Config) timeOf(event int64) int64 {
	base := c.BaseTime
	if base == 0 {
		base = DefaultBaseTime
	}
	seconds, rest := event/c.TPS, event%c.TPS
	return base + seconds*1_000_000 + rest*1_000_000/c.TPS/1000*1000
}

// lastPerson is the number of the latest person at an event, from 0.
func lastPerson(event int64) int64 { return event / epochEvents }

// lastAuction is the number of the latest auction at an event, -1 before the first.
func lastAuction(event int64) int64 {
	epoch, at := event/epochEvents, event%epochEvents-personsIn
	return epoch*auctionsIn + max(-1, min(at, auctionsIn-1))
}
