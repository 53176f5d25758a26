-- q10: log to files, by day and minute.
-- source: nexmark/nexmark, queries/q10.sql
SELECT auction, bidder, price, dateTime, extra, DATE_FORMAT(dateTime, 'yyyy-MM-dd') AS dt, DATE_FORMAT(dateTime, 'HH:mm') AS hm FROM bid
