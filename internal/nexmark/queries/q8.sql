-- q8: new users who sell within the ten seconds in which they came.
-- source: nexmark/nexmark, queries/q8.sql; TUMBLE is window() here
SELECT P.id, P.name, P.starttime
FROM (
  SELECT id, name, window.start AS starttime, window.end AS endtime
  FROM person
  GROUP BY id, name, window(dateTime, '10 seconds')
) AS P
INNER JOIN (
  SELECT seller, window.start AS starttime, window.end AS endtime
  FROM auction
  GROUP BY seller, window(dateTime, '10 seconds')
) AS A
ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime
