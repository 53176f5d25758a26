#!/usr/bin/env bash
# Measures the log beside Apache Kafka on this machine (see scripts/benchlog). Kafka's jars come from Maven into .cache; where
# they cannot be had, that is said, and only StreamFlow and the machine's limits are measured.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache/compat/java
why=$(
	skip() { echo "$*" && exit 77; }
	need() { command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"; }
	COMPAT_CACHE=$PWD/.cache/compat/java
	source scripts/compat/suites/maven.sh
	kafka_jars >&2
) && why=""
jars=$PWD/.cache/compat/kafka-jars-$(sed -n 's/^kafka_version=//p' scripts/compat/suites/maven.sh)
exec go run ./scripts/benchlog --kafka-jars "$jars" --kafka-skip "$why" "$@"
