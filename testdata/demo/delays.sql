-- Delays by hour and state: one program, over history and live.
--
--   sfsubmit run testdata/demo/delays.sql --history
--   sfsubmit run testdata/demo/delays.sql --live
--
-- demo holds flights as they became known; ts is when a flight was scheduled to leave. Flights that are known more than
-- four hours after others of their partition are late: they go to the topic <name>.late.
CREATE TABLE IF NOT EXISTS airports USING csv OPTIONS (header 'true', inferSchema 'true') LOCATION 'testdata/flights/airports.csv';

SELECT window(f.ts, '1 hour').start AS hour,
       a.state                      AS state,
       count(*)                     AS flights,
       sum(f.delay)                 AS delay_minutes,
       max(f.delay)                 AS worst
FROM demo f
JOIN airports a ON f.origin = a.iata
WHERE f.distance >= 100 AND (f.delay > 15 OR f.destination IN ('JFK', 'LAX', 'ORD'))
GROUP BY window(f.ts, '1 hour'), a.state;
