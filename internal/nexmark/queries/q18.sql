-- q18: the last bid of each bidder on each auction.
-- source: nexmark/nexmark, queries/q18.sql; of bids in the same millisecond the highest counts, then the later text
SELECT auction, bidder, price, channel, url, dateTime, extra
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC, price DESC, extra DESC) AS rank_number
  FROM bid
) AS Q
WHERE rank_number <= 1
