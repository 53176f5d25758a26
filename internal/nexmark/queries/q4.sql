-- q4: average price for a category: of each closed auction the highest bid, of those the average.
-- source: nexmark/nexmark, queries/q4.sql; Flink's average of BIGINT is BIGINT, which is a cast here
SELECT Q.category, CAST(AVG(Q.final) AS BIGINT) AS avg_final
FROM (
  SELECT MAX(B.price) AS final, A.category
  FROM auction AS A INNER JOIN bid AS B ON A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires
  GROUP BY A.id, A.category
) AS Q
GROUP BY Q.category
