-- A live query over the demo's flights, statement by statement. It needs a running node:
--
--   streamflow serve &                      a node on this machine
--   make demo-data                          flights into the topic demo
--   sfsubmit --server 127.0.0.1:15002 sql -f notebooks/02_live.sql
--
-- The query goes on when this file has been run, and after restarts of the node: make demo-data once more and look again.
-- Its results are in the topic delays_by_hour.

CREATE TABLE IF NOT EXISTS delays_by_hour (hour TIMESTAMP, origin STRING, flights BIGINT, delay_minutes BIGINT)
USING topic OPTIONS (partitions 2);

-- Rows leave when the watermark, four hours behind the newest flight of each partition, has passed their hour.
CREATE STREAMING QUERY delays_by_hour START FROM BEGINNING AS
INSERT INTO delays_by_hour
SELECT window(ts, '1 hour').start, origin, count(*), sum(delay)
FROM demo
WHERE delay > 0
GROUP BY window(ts, '1 hour'), origin;

SHOW QUERIES;

-- The topic of results is a table like any other, and the next query's input.
SELECT origin, sum(flights) AS flights, round(sum(delay_minutes) / sum(flights), 1) AS minutes
FROM delays_by_hour
GROUP BY origin
ORDER BY flights DESC, origin
LIMIT 5;
