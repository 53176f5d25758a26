-- cep1: the longest spans over which a bidder's average price for an auction stays below 10,000; each span begins after the one before.
-- source: nexmark/nexmark, queries-cep/q1.sql; Flink's average of BIGINT is BIGINT, which is a cast here
SELECT auction, bidder, start_tstamp, end_tstamp, CAST(avg_price AS BIGINT) AS avg_price
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY dateTime, price, extra
  MEASURES FIRST(A.dateTime) AS start_tstamp, LAST(A.dateTime) AS end_tstamp, AVG(A.price) AS avg_price
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A+ B)
  DEFINE A AS AVG(A.price) < 10000
) AS M
