package answer

import (
	"sort"

	"github.com/streamflow/streamflow/internal/nexmark"
)

// The patterns are followed by hand, over the bids of one bidder for one auction in order of time.

// sequences calls f with each bidder's bids for each auction, in the order in which the patterns read them.
func sequences(in *Input, f func(bids []nexmark.BidRow)) {
	type pair struct{ auction, bidder int64 }
	of := map[pair][]nexmark.BidRow{}
	for _, b := range in.Bids {
		k := pair{b.Auction, b.Bidder}
		of[k] = append(of[k], b)
	}
	for _, list := range of {
		sort.Slice(list, func(i, j int) bool { return later(list[j], list[i]) })
		f(list)
	}
}

// cep0: a start, prices that fall, a price above the last of them; the next match starts there.
func cep0(in *Input) (out []Row) {
	sequences(in, func(b []nexmark.BidRow) {
		for i := 0; i < len(b); {
			j := i
			for j+1 < len(b) && b[j+1].Price < b[j].Price {
				j++
			}
			if j == i || j+1 == len(b) || b[j+1].Price <= b[j].Price {
				i++
				continue
			}
			out = append(out, Row{text(b[i].Auction), text(b[i].Bidder), stamp(b[i].DateTime), stamp(b[j].DateTime), stamp(b[j+1].DateTime)})
			i = j + 1
		}
	})
	return out
}

// below is how many bids from the first on have an average below 10,000, each with those before it, and one bid behind
// them; and their sum.
func below(b []nexmark.BidRow) (n int, sum int64) {
	for n < len(b)-1 && sum+b[n].Price < 10_000*int64(n+1) {
		sum += b[n].Price
		n++
	}
	return n, sum
}

func spans(in *Input, next func(i, n int) int) (out []Row) {
	sequences(in, func(b []nexmark.BidRow) {
		for i := 0; i < len(b); {
			n, sum := below(b[i:])
			if n == 0 {
				i++
				continue
			}
			out = append(out, Row{text(b[i].Auction), text(b[i].Bidder), stamp(b[i].DateTime), stamp(b[i+n-1].DateTime), text(sum / int64(n))})
			i = next(i, n)
		}
	})
	return out
}

func cep1(in *Input) []Row { return spans(in, func(i, n int) int { return i + n + 1 }) }

func cep2(in *Input) []Row { return spans(in, func(i, _ int) int { return i + 1 }) }

// cep3: a bid, bids less than 50 below it, and one more than 50 below it, within five seconds.
func cep3(in *Input) (out []Row) {
	sequences(in, func(b []nexmark.BidRow) {
		for i := 0; i < len(b); {
			j := i + 1
			for j < len(b) && b[j].Price > b[i].Price-50 {
				j++
			}
			if j == len(b) || b[j].Price >= b[i].Price-50 || b[j].DateTime-b[i].DateTime >= 5*second {
				i++
				continue
			}
			out = append(out, Row{text(b[i].Auction), text(b[i].Bidder), stamp(b[j].DateTime), text(b[i].Price - b[j].Price)})
			i = j + 1
		}
	})
	return out
}
