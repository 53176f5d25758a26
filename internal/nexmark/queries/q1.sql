-- q1: currency conversion, of dollars to euros.
-- source: nexmark/nexmark, queries/q1.sql; the sink's DECIMAL(23, 3) is a cast here
SELECT auction, bidder, CAST(0.908 * price AS DECIMAL(23, 3)) AS price, dateTime, extra FROM bid
