package answer

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
)

// Row is one row of a result.
type Row []string

// Input is the whole of the three tables.
type Input struct {
	Persons  []nexmark.PersonRow
	Auctions []nexmark.AuctionRow
	Bids     []nexmark.BidRow
	// Arrived is when the log took in each of Bids, in microseconds.
	Arrived []int64
}

// Load makes the rows of the first events. They are taken to arrive when they happen.
func Load(g *nexmark.Generator, events int64) *Input {
	in := &Input{}
	for i := range nexmark.Person.Rows(events) {
		in.Persons = append(in.Persons, g.Person(i))
	}
	for i := range nexmark.Auction.Rows(events) {
		in.Auctions = append(in.Auctions, g.Auction(i))
	}
	for i := range nexmark.Bid.Rows(events) {
		b := g.Bid(i)
		in.Bids, in.Arrived = append(in.Bids, b), append(in.Arrived, b.DateTime)
	}
	return in
}

// Rows are the final rows of a query: what a run over history gives, and what a live run comes to.
func (in *Input) Rows(query string) ([]Row, error) {
	f := answers[query]
	if f == nil {
		return nil, fmt.Errorf("answer: there is no query %q", query)
	}
	return f(in), nil
}

var answers = map[string]func(*Input) []Row{
	"q0": q0, "q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": q6, "q7": q7, "q8": q8, "q9": q9, "q10": q10, "q11": q11,
	"q12": q12, "q13": q13, "q14": q14, "q15": q15, "q16": q16, "q17": q17, "q18": q18, "q19": q19, "q20": q20, "q21": q21, "q22": q22, "q23": q23,
	"cep0": cep0, "cep1": cep1, "cep2": cep2, "cep3": cep3,
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

// stamp is a time as Spark prints it: no fraction unless there is one.
func stamp(micros int64) string {
	return strings.TrimSuffix(time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999"), ".")
}

func day(micros int64) string    { return time.UnixMicro(micros).UTC().Format("2006-01-02") }
func minute(micros int64) string { return time.UnixMicro(micros).UTC().Format("15:04") }

// euros is 0.908 of a price with three digits.
func euros(price int64) string {
	return fmt.Sprintf("%d.%03d", price*908/1000, price*908%1000)
}

const second = 1_000_000

// floor is the start of the span of that length that holds a time.
func floor(micros, length int64) int64 { return micros - micros%length }
