-- q19: the ten highest bids of each auction.
-- source: nexmark/nexmark, queries/q19.sql; ties are broken by time, bidder and text
SELECT auction, bidder, price, channel, url, dateTime, extra, rank_number
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, dateTime, bidder, extra) AS rank_number
  FROM bid
) AS Q
WHERE rank_number <= 10
