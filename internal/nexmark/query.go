package nexmark

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed queries/*.sql
var files embed.FS

// Query is one of the benchmark's queries.
type Query struct {
	Name string // "q5" or "cep0"
	SQL  string // a SELECT over the tables of the kinds and side_input
	// Reads are the kinds whose tables it names.
	Reads []Kind
	// Mode is the output mode in which it streams: "append" or "update".
	Mode string
	// Changelog says that its rows have no key: every change of them is written.
	Changelog bool
	// Unbounded says that its state grows for ever, as the benchmark's definition has it.
	Unbounded bool
	// Aim is the throughput that it is held to, in events for a second of one processor, read from a columnar topic.
	Aim int64
}

// Queries are q0 to q23 in order.
func Queries() []Query { return append([]Query{}, queries[:len(queries)-patterns]...) }

// Patterns are cep0 to cep3, which match patterns in rows.
func Patterns() []Query { return append([]Query{}, queries[len(queries)-patterns:]...) }

// patterns is how many of the queries match patterns; they are the last.
const patterns = 4

// QueryByName finds one.
func QueryByName(name string) (Query, error) {
	for _, q := range queries {
		if strings.EqualFold(q.Name, name) {
			return q, nil
		}
	}
	return Query{}, fmt.Errorf("there is no query %q: q0 to q23, cep0 to cep3", name)
}

var queries = []Query{
	{Name: "q0", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q1", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q2", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q3", Reads: []Kind{Auction, Person}, Mode: "append", Unbounded: true, Aim: 500_000},
	{Name: "q4", Reads: []Kind{Auction, Bid}, Mode: "update", Unbounded: true, Aim: 150_000},
	{Name: "q5", Reads: bids, Mode: "append", Aim: 300_000},
	{Name: "q6", Reads: []Kind{Auction, Bid}, Mode: "update", Changelog: true, Unbounded: true},
	{Name: "q7", Reads: bids, Mode: "append", Aim: 150_000},
	{Name: "q8", Reads: []Kind{Person, Auction}, Mode: "append", Aim: 500_000},
	{Name: "q9", Reads: []Kind{Auction, Bid}, Mode: "update", Unbounded: true, Aim: 60_000},
	{Name: "q10", Reads: bids, Mode: "append"},
	{Name: "q11", Reads: bids, Mode: "append", Aim: 150_000},
	{Name: "q12", Reads: bids, Mode: "append", Aim: 500_000},
	{Name: "q13", Reads: bids, Mode: "append", Aim: 500_000},
	{Name: "q14", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q15", Reads: bids, Mode: "update", Unbounded: true, Aim: 300_000},
	{Name: "q16", Reads: bids, Mode: "update", Unbounded: true, Aim: 60_000},
	{Name: "q17", Reads: bids, Mode: "update", Unbounded: true, Aim: 500_000},
	{Name: "q18", Reads: bids, Mode: "update", Unbounded: true, Aim: 150_000},
	{Name: "q19", Reads: bids, Mode: "update", Unbounded: true, Aim: 150_000},
	{Name: "q20", Reads: []Kind{Bid, Auction}, Mode: "append", Unbounded: true, Aim: 60_000},
	{Name: "q21", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q22", Reads: bids, Mode: "append", Aim: 1_000_000},
	{Name: "q23", Reads: []Kind{Bid, Person, Auction}, Mode: "append", Unbounded: true},
	{Name: "cep0", Reads: bids, Mode: "append", Unbounded: true},
	{Name: "cep1", Reads: bids, Mode: "append", Unbounded: true},
	{Name: "cep2", Reads: bids, Mode: "append", Unbounded: true},
	{Name: "cep3", Reads: bids, Mode: "append"},
}

var bids = []Kind{Bid}

func init() {
	for i := range queries {
		b, err := files.ReadFile("queries/" + queries[i].Name + ".sql")
		if err != nil {
			panic("BUG: nexmark: " + err.Error())
		}
		queries[i].SQL = strings.TrimSpace(string(b))
	}
}
