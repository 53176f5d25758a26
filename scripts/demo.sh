#!/usr/bin/env bash
# The demo: one program, testdata/demo/delays.sql, over history and over the live stream of the same flights; then both
# results are compared.
source "$(dirname "$0")/node.sh"
DATA=${DEMO_DATA:-testdata/flights/flights.parquet}
SPEED=${DEMO_SPEED:-100000}
PROGRAM=testdata/demo/delays.sql

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. A node starts on loopback"
start_node
cat "$WORK/ready"

bad() { printf '%s\n' '{"ts":"not a time","delay":1}' '{"ts":"2001-01-05T10:00:00Z","delay":' 'no json at all' | bin/streamflow produce demo; }

say "2. History: flights are loaded into the topic demo, and the program runs over all of them"
scripts/demo-data.sh
bad
bin/sfsubmit run "$PROGRAM" --history --output json >"$WORK/history.json"
sleep 0.01; date -u +%Y-%m-%dT%H:%M:%S.%NZ >"$WORK/loaded"
echo "the first hours of the result:"
bin/sfsubmit sql -e "SELECT * FROM json.\`$WORK/history.json\` ORDER BY hour, flights DESC LIMIT 10"

say "3. Live: the same program waits, and a producer sends the same flights, ${SPEED} times faster than in 2001"
bin/sfsubmit run "$PROGRAM" --live --output json >"$WORK/live.json" 2>"$WORK/live.log" &
LIVE=$!
for _ in $(seq 100); do
	bin/sfsubmit query list --output json 2>/dev/null | grep -q '"delays-live"' && break
	sleep 0.05
done
tail -n +1 -f "$WORK/live.json" | awk 'NR % 500 == 1 { print "  window closed: " $0; fflush() }' &
TAIL=$!
scripts/demo-data.sh --pace known --speed "$SPEED"
bad
bin/streamflow topic seal demo
wait $LIVE || { cat "$WORK/live.log" >&2; exit 1; }
kill $TAIL 2>/dev/null || true
cat "$WORK/live.log"

say "4. What was set aside, with the reason"
for side in late dead; do
	bin/sfsubmit sql -e "SELECT reason, count(*) AS rows FROM \`delays-live.$side\` GROUP BY reason ORDER BY rows DESC LIMIT 5"
done
bin/sfsubmit sql -e "SELECT topic, partition, offset, value FROM \`delays-live.dead\` LIMIT 3"

say "5. The comparison"
sort "$WORK/history.json" >"$WORK/a"
sort "$WORK/live.json" >"$WORK/b"
if cmp -s "$WORK/a" "$WORK/b"; then
	echo "history == live: $(wc -l <"$WORK/a" | tr -d ' ') rows identical"
else
	diff "$WORK/a" "$WORK/b" | head -40
	echo "history and live differ"
	exit 1
fi

say "6. The same program in Go, over history"
bin/sfsubmit run examples/delays --history --name delays-go --to "$(cat "$WORK/loaded")" >"$WORK/go.json"
sort "$WORK/go.json" >"$WORK/c"
diff "$WORK/a" "$WORK/c" | head -10; cmp "$WORK/a" "$WORK/c"
echo "examples/delays (Go) == $PROGRAM (SQL): $(wc -l <"$WORK/c" | tr -d ' ') rows identical"
