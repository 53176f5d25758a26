-- q7: highest bid of each ten seconds.
-- source: nexmark/nexmark, queries/q7.sql; TUMBLE is window() here
SELECT B.auction, B.price, B.bidder, B.dateTime, B.extra
FROM bid AS B
INNER JOIN (
  SELECT MAX(price) AS maxprice, window.end AS dateTime
  FROM bid
  GROUP BY window(dateTime, '10 seconds')
) AS B1
ON B.price = B1.maxprice AND B.dateTime BETWEEN B1.dateTime - INTERVAL 10 SECONDS AND B1.dateTime
