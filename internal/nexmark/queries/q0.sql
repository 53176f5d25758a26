-- q0: pass through. What it costs to read, project and write.
-- source: nexmark/nexmark, queries/q0.sql
SELECT auction, bidder, price, dateTime, extra FROM bid
