package answer

import (
	"sort"

	"github.com/streamflow/streamflow/internal/nexmark"
)

func q5(in *Input) (out []Row) {
	type at struct{ start, auction int64 }
	counts, most := map[at]int64{}, map[int64]int64{}
	for _, b := range in.Bids {
		for start := floor(b.DateTime, 2*second); start > b.DateTime-10*second; start -= 2 * second {
			k := at{start, b.Auction}
			counts[k]++
			most[start] = max(most[start], counts[k])
		}
	}
	for k, n := range counts {
		if n == most[k.start] {
			out = append(out, Row{text(k.auction), text(n)})
		}
	}
	return out
}

func q7(in *Input) (out []Row) {
	highest := map[int64]int64{}
	for _, b := range in.Bids {
		w := floor(b.DateTime, 10*second)
		highest[w] = max(highest[w], b.Price)
	}
	for _, b := range in.Bids {
		// A bid at the very border lies in two spans, for BETWEEN has both of its ends.
		w := floor(b.DateTime, 10*second)
		for _, start := range []int64{w - 10*second, w} {
			if p, ok := highest[start]; ok && p == b.Price && b.DateTime <= start+10*second {
				out = append(out, Row{text(b.Auction), text(b.Price), text(b.Bidder), stamp(b.DateTime), b.Extra})
			}
		}
	}
	return out
}

func q8(in *Input) (out []Row) {
	type seller struct{ id, start int64 }
	sells := map[seller]bool{}
	for _, a := range in.Auctions {
		sells[seller{a.Seller, floor(a.DateTime, 10*second)}] = true
	}
	for _, p := range in.Persons { // a person comes once
		if start := floor(p.DateTime, 10*second); sells[seller{p.ID, start}] {
			out = append(out, Row{text(p.ID), p.Name, stamp(start)})
		}
	}
	return out
}

func q11(in *Input) (out []Row) {
	times := map[int64][]int64{}
	for _, b := range in.Bids {
		times[b.Bidder] = append(times[b.Bidder], b.DateTime)
	}
	for bidder, list := range times {
		sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
		first := 0
		for i := range list {
			if i+1 == len(list) || list[i+1]-list[i] >= 10*second {
				out = append(out, Row{text(bidder), text(int64(i - first + 1)), stamp(list[first]), stamp(list[i] + 10*second)})
				first = i + 1
			}
		}
	}
	return out
}

func q12(in *Input) (out []Row) {
	type key struct{ bidder, start int64 }
	n := map[key]int64{}
	for i, b := range in.Bids {
		n[key{b.Bidder, floor(in.Arrived[i], 10*second)}]++
	}
	for k, c := range n {
		out = append(out, Row{text(k.bidder), text(c), stamp(k.start), stamp(k.start + 10*second)})
	}
	return out
}

// statistics are the columns that q15 to q17 share: of all bids and of those of three ranks of price.
type statistics struct {
	bids, sum, least, most int64
	ranks                  [3]int64
	bidders, auctions      [4]map[int64]bool
	minute                 string
}

func (s *statistics) add(b nexmark.BidRow) {
	if s.bids == 0 {
		s.least = b.Price
		for i := range s.bidders {
			s.bidders[i], s.auctions[i] = map[int64]bool{}, map[int64]bool{}
		}
	}
	rank := 0
	switch {
	case b.Price >= 1_000_000:
		rank = 2
	case b.Price >= 10_000:
		rank = 1
	}
	s.bids++
	s.sum += b.Price
	s.least, s.most = min(s.least, b.Price), max(s.most, b.Price)
	s.minute = max(s.minute, minute(b.DateTime))
	s.ranks[rank]++
	for _, i := range []int{0, rank + 1} {
		s.bidders[i][b.Bidder], s.auctions[i][b.Auction] = true, true
	}
}

func (s *statistics) counts() Row {
	return Row{text(s.bids), text(s.ranks[0]), text(s.ranks[1]), text(s.ranks[2])}
}

func (s *statistics) distinct() (r Row) {
	for _, sets := range [][4]map[int64]bool{s.bidders, s.auctions} {
		for _, m := range sets {
			r = append(r, text(int64(len(m))))
		}
	}
	return r
}

type grouped struct{ key, day string }

func statisticsBy(in *Input, key func(nexmark.BidRow) string) map[grouped]*statistics {
	m := map[grouped]*statistics{}
	for _, b := range in.Bids {
		k := grouped{key(b), day(b.DateTime)}
		if m[k] == nil {
			m[k] = &statistics{}
		}
		m[k].add(b)
	}
	return m
}

func q15(in *Input) (out []Row) {
	for k, s := range statisticsBy(in, func(nexmark.BidRow) string { return "" }) {
		out = append(out, append(append(Row{k.day}, s.counts()...), s.distinct()...))
	}
	return out
}

func q16(in *Input) (out []Row) {
	for k, s := range statisticsBy(in, func(b nexmark.BidRow) string { return b.Channel }) {
		out = append(out, append(append(Row{k.key, k.day, s.minute}, s.counts()...), s.distinct()...))
	}
	return out
}

func q17(in *Input) (out []Row) {
	for k, s := range statisticsBy(in, func(b nexmark.BidRow) string { return text(b.Auction) }) {
		out = append(out, append(append(Row{k.key, k.day}, s.counts()...), text(s.least), text(s.most), text(s.sum/s.bids), text(s.sum)))
	}
	return out
}

func q18(in *Input) (out []Row) {
	type pair struct{ bidder, auction int64 }
	last := map[pair]nexmark.BidRow{}
	for _, b := range in.Bids {
		k := pair{b.Bidder, b.Auction}
		if old, ok := last[k]; !ok || later(b, old) {
			last[k] = b
		}
	}
	for _, b := range last {
		out = append(out, whole(b))
	}
	return out
}

// later orders bids of one bidder on one auction.
func later(a, b nexmark.BidRow) bool {
	switch {
	case a.DateTime != b.DateTime:
		return a.DateTime > b.DateTime
	case a.Price != b.Price:
		return a.Price > b.Price
	}
	return a.Extra > b.Extra
}

func whole(b nexmark.BidRow) Row {
	return Row{text(b.Auction), text(b.Bidder), text(b.Price), b.Channel, b.URL, stamp(b.DateTime), b.Extra}
}

func q19(in *Input) (out []Row) {
	of := map[int64][]nexmark.BidRow{}
	for _, b := range in.Bids {
		of[b.Auction] = append(of[b.Auction], b)
	}
	for _, list := range of {
		sort.Slice(list, func(i, j int) bool { return better(list[i], list[j]) })
		for i, b := range list[:min(10, len(list))] {
			out = append(out, append(whole(b), text(int64(i+1))))
		}
	}
	return out
}
