-- cep3: drops of a bidder's price for an auction by more than 50 within five seconds.
-- source: nexmark/nexmark, queries-cep/q3.sql
SELECT auction, bidder, drop_time, drop_diff
FROM bid MATCH_RECOGNIZE (
  PARTITION BY auction, bidder
  ORDER BY dateTime, price, extra
  MEASURES LAST(C.dateTime) AS drop_time, LAST(A.price) - LAST(C.price) AS drop_diff
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B* C) WITHIN INTERVAL 5 SECONDS
  DEFINE B AS B.price > A.price - 50, C AS C.price < A.price - 50
) AS M
