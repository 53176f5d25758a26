package answer

import (
	"sort"

	"github.com/streamflow/streamflow/internal/nexmark"
)

func (in *Input) personsByID() map[int64]nexmark.PersonRow {
	m := map[int64]nexmark.PersonRow{}
	for _, p := range in.Persons {
		m[p.ID] = p
	}
	return m
}

func (in *Input) auctionsByID() map[int64]nexmark.AuctionRow {
	m := map[int64]nexmark.AuctionRow{}
	for _, a := range in.Auctions {
		m[a.ID] = a
	}
	return m
}

func q3(in *Input) (out []Row) {
	persons := in.personsByID()
	for _, a := range in.Auctions {
		p, ok := persons[a.Seller]
		if ok && a.Category == 10 && (p.State == "OR" || p.State == "ID" || p.State == "CA") {
			out = append(out, Row{p.Name, p.City, p.State, text(a.ID)})
		}
	}
	return out
}

// better orders bids on an auction: the price, then the earlier, then what makes the order total.
func better(a, b nexmark.BidRow) bool {
	switch {
	case a.Price != b.Price:
		return a.Price > b.Price
	case a.DateTime != b.DateTime:
		return a.DateTime < b.DateTime
	case a.Bidder != b.Bidder:
		return a.Bidder < b.Bidder
	}
	return a.Extra < b.Extra
}

// winners are the best bids that came while their auctions ran, by auction.
func (in *Input) winners() map[int64]nexmark.BidRow {
	auctions, best := in.auctionsByID(), map[int64]nexmark.BidRow{}
	for _, b := range in.Bids {
		a, ok := auctions[b.Auction]
		if !ok || b.DateTime < a.DateTime || b.DateTime > a.Expires {
			continue
		}
		if old, ok := best[a.ID]; !ok || better(b, old) {
			best[a.ID] = b
		}
	}
	return best
}

func q4(in *Input) (out []Row) {
	auctions, sum, n := in.auctionsByID(), map[int64]int64{}, map[int64]int64{}
	for id, b := range in.winners() {
		category := auctions[id].Category
		sum[category] += b.Price
		n[category]++
	}
	for c := range n {
		out = append(out, Row{text(c), text(sum[c] / n[c])})
	}
	return out
}

func q6(in *Input) (out []Row) {
	auctions, sold := in.auctionsByID(), map[int64][]nexmark.BidRow{}
	for id, b := range in.winners() {
		sold[auctions[id].Seller] = append(sold[auctions[id].Seller], b)
	}
	for seller, list := range sold {
		sort.Slice(list, func(i, j int) bool {
			if list[i].DateTime != list[j].DateTime {
				return list[i].DateTime < list[j].DateTime
			}
			return list[i].Auction < list[j].Auction
		})
		for i := range list {
			last, sum := list[max(0, i-10):i+1], int64(0)
			for _, b := range last {
				sum += b.Price
			}
			out = append(out, Row{text(seller), text(sum / int64(len(last)))})
		}
	}
	return out
}

func q9(in *Input) (out []Row) {
	auctions := in.auctionsByID()
	for id, b := range in.winners() {
		a := auctions[id]
		out = append(out, Row{text(a.ID), a.ItemName, a.Description, text(a.InitialBid), text(a.Reserve), stamp(a.DateTime), stamp(a.Expires), text(a.Seller),
			text(a.Category), a.Extra, text(b.Auction), text(b.Bidder), text(b.Price), stamp(b.DateTime), b.Extra})
	}
	return out
}

func q20(in *Input) (out []Row) {
	auctions := in.auctionsByID()
	for _, b := range in.Bids {
		a, ok := auctions[b.Auction]
		if !ok || a.Category != 10 {
			continue
		}
		out = append(out, Row{text(b.Auction), text(b.Bidder), text(b.Price), b.Channel, b.URL, stamp(b.DateTime), b.Extra, a.ItemName, a.Description,
			text(a.InitialBid), text(a.Reserve), stamp(a.DateTime), stamp(a.Expires), text(a.Seller), text(a.Category), a.Extra})
	}
	return out
}

func q23(in *Input) (out []Row) {
	persons, bySeller := in.personsByID(), map[int64][]nexmark.AuctionRow{}
	for _, a := range in.Auctions {
		bySeller[a.Seller] = append(bySeller[a.Seller], a)
	}
	for _, b := range in.Bids {
		p, ok := persons[b.Bidder]
		if !ok {
			continue
		}
		for _, a := range bySeller[b.Bidder] {
			out = append(out, Row{text(b.Bidder), text(b.Price), b.Channel, b.URL, b.Extra, text(p.ID), p.Name, p.EmailAddress, p.CreditCard, p.City, p.State, p.Extra,
				a.ItemName, a.Description, text(a.InitialBid), text(a.Reserve), stamp(a.DateTime), stamp(a.Expires), text(a.Seller), text(a.Category), a.Extra})
		}
	}
	return out
}
