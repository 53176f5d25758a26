-- q11: user sessions: bids of a bidder with no pause of ten seconds.
-- source: nexmark/nexmark, queries/q11.sql; SESSION is session_window() here
SELECT bidder, count(*) AS bid_count, session_window.start AS starttime, session_window.end AS endtime
FROM bid
GROUP BY bidder, session_window(dateTime, '10 seconds')
