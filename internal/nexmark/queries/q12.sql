-- q12: bids of a bidder in each ten seconds of processing time. The time at which the log took a bid in is its processing
--      time here, so that a second run gives the same answer.
-- source: nexmark/nexmark, queries/q12.sql; PROCTIME is the column _timestamp
SELECT bidder, count(*) AS bid_count, window.start AS starttime, window.end AS endtime
FROM bid WATERMARK _timestamp DELAY INTERVAL 0 SECONDS
GROUP BY bidder, window(_timestamp, '10 seconds')
