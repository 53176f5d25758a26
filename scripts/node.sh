# Sourced by scripts that need a node of their own: start_node and what it sets. The node stops with the script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

WORK=$(mktemp -d)
NODE_PID=
cleanup() {
	local code=$?
	trap - EXIT
	kill $(jobs -p) 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$WORK"
	exit $code
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# start_node: runs bin/streamflow in $WORK/data on free ports and exports its addresses.
start_node() {
	bin/streamflow serve --data-dir "$WORK/data" --kafka 127.0.0.1:0 --connect 127.0.0.1:0 --http 127.0.0.1:0 \
		>"$WORK/ready" 2>"$WORK/node.log" &
	NODE_PID=$!
	for _ in $(seq 100); do
		grep -q '^ready ' "$WORK/ready" && break
		kill -0 $NODE_PID 2>/dev/null || { cat "$WORK/node.log" >&2; exit 1; }
		sleep 0.05
	done
	read -r _ kafka connect http <"$WORK/ready"
	export STREAMFLOW_KAFKA=${kafka#kafka=} STREAMFLOW_SERVER=${connect#connect=} STREAMFLOW_HTTP=${http#http=}
}
