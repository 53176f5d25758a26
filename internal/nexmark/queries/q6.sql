-- q6: average selling price of a seller's last ten auctions, and the one at hand.
-- source: nexmark/nexmark, queries/q6.sql, which Flink does not run; its condition on rownum stands where it can be true,
--         and ties are broken by the bid's time, its bidder and its text
SELECT Q.seller, CAST(AVG(Q.price) OVER (PARTITION BY Q.seller ORDER BY Q.dateTime, Q.id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS BIGINT) AS avg_price
FROM (
  SELECT A.id, A.seller, B.price, B.dateTime,
    ROW_NUMBER() OVER (PARTITION BY A.id, A.seller ORDER BY B.price DESC, B.dateTime, B.bidder, B.extra) AS rownum
  FROM auction AS A INNER JOIN bid AS B ON A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires
) AS Q
WHERE Q.rownum <= 1
