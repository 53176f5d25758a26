-- q13: bounded side input, looked up for each bid.
-- source: nexmark/nexmark, queries/q13.sql; the table does not change, so FOR SYSTEM_TIME AS OF is left out
SELECT B.auction, B.bidder, B.price, B.dateTime, S.value
FROM bid AS B INNER JOIN side_input AS S ON MOD(B.auction, 10000) = S.key
