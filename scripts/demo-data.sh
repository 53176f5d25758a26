#!/usr/bin/env bash
# Fills the topic "demo" of a running node with real flights. STREAMFLOW_KAFKA names the node (default 127.0.0.1:9092).
set -euo pipefail
cd "$(dirname "$0")/.."
DATA=${DEMO_DATA:-testdata/flights/flights.parquet}
SCHEMA='ts TIMESTAMP, delay INT, distance INT, origin STRING, destination STRING'

bin/streamflow topic create demo --if-not-exists --partitions 4 --format json --schema "$SCHEMA" --config streamflow.key=origin \
	--config streamflow.event.time=ts --config streamflow.watermark.delay.ms=14400000 --config retention.ms=-1
bin/streamflow produce demo --file "$DATA" --columns ts,delay,distance,origin,destination --key origin "$@"
