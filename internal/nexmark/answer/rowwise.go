package answer

import (
	"strings"
	"time"

	"github.com/streamflow/streamflow/internal/nexmark"
)

// each makes rows of single bids; nil leaves one out.
func each(in *Input, f func(b nexmark.BidRow) Row) (out []Row) {
	for _, b := range in.Bids {
		if r := f(b); r != nil {
			out = append(out, r)
		}
	}
	return out
}

func q0(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		return Row{text(b.Auction), text(b.Bidder), text(b.Price), stamp(b.DateTime), b.Extra}
	})
}

func q1(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		return Row{text(b.Auction), text(b.Bidder), euros(b.Price), stamp(b.DateTime), b.Extra}
	})
}

func q2(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		if b.Auction%123 != 0 {
			return nil
		}
		return Row{text(b.Auction), text(b.Price)}
	})
}

func q10(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		return Row{text(b.Auction), text(b.Bidder), text(b.Price), stamp(b.DateTime), b.Extra, day(b.DateTime), minute(b.DateTime)}
	})
}

func q13(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		return Row{text(b.Auction), text(b.Bidder), text(b.Price), stamp(b.DateTime), text(b.Auction % 10000)}
	})
}

func q14(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		if thousandths := b.Price * 908; thousandths <= 1_000_000_000 || thousandths >= 50_000_000_000 {
			return nil
		}
		when := "otherTime"
		switch h := time.UnixMicro(b.DateTime).UTC().Hour(); {
		case h >= 8 && h <= 18:
			when = "dayTime"
		case h <= 6 || h >= 20:
			when = "nightTime"
		}
		return Row{text(b.Auction), text(b.Bidder), euros(b.Price), when, stamp(b.DateTime), b.Extra, text(int64(strings.Count(b.Extra, "c")))}
	})
}

func q21(in *Input) []Row {
	known := map[string]string{"apple": "0", "google": "1", "facebook": "2", "baidu": "3"}
	return each(in, func(b nexmark.BidRow) Row {
		id, ok := known[strings.ToLower(b.Channel)]
		if !ok {
			_, id, ok = strings.Cut(b.URL, "&channel_id=")
		}
		if !ok {
			return nil
		}
		return Row{text(b.Auction), text(b.Bidder), text(b.Price), b.Channel, id}
	})
}

func q22(in *Input) []Row {
	return each(in, func(b nexmark.BidRow) Row {
		dirs := strings.Split(b.URL, "/")
		return Row{text(b.Auction), text(b.Bidder), text(b.Price), b.Channel, dirs[3], dirs[4], dirs[5]}
	})
}
