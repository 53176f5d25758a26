// Package nexmark makes the events of the Nexmark benchmark and holds its queries.
//
// The stream is that of the benchmark's published generator (github.com/nexmark/nexmark, nexmark-flink, generator/): epochs
// of fifty events, one person, three auctions and 46 bids, whose ids, hot keys, prices, strings and lengths follow its
// rules. Two things are different. Numbers come from a seed: event e of a seed is the same in every run, whoever makes it
// and in whatever order, for nothing but the seed and e decides it. And each kind of event is a table of its own, so that
// a query reads what it names:
//
//	event      0        1 2 3     4 … 49     50      51 52 53   54 … 99
//	           person 0  auction   bid        person  auction    bid
//	                     0 1 2     0 … 45     1       3 4 5      46 … 91
//
//	Config ── NewGenerator ─▶ Generator ─┬─ Persons, Auctions, Bids   column batches of any range of rows
//	                                     └─ Person, Auction, Bid       one row, and its JSON
//
// Long strings without meaning (extra, item names, descriptions) are cut from two pools of random letters instead of being
// drawn letter by letter; each row has a copy of its own. A bidder's id is a person's id plus 1,000 more, as in the
// published generator: a bid names somebody who comes a thousand persons later.
//
// The queries are the benchmark's, written in StreamFlow's SQL; queries/*.sql says of each where it comes from and what is
// written otherwise. The package knows neither sessions nor topics.
package nexmark
