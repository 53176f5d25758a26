-- q2: selection. Bids on auctions whose number is a multiple of 123.
-- source: nexmark/nexmark, queries/q2.sql
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0
