#!/usr/bin/env bash
# Runs every fuzz target for a time (default 20s each): scripts/fuzz.sh [TIME]
set -euo pipefail
cd "$(dirname "$0")/.."
TIME=${1:-20s}
for pkg in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$pkg" | grep '^Fuzz' || true); do
		echo "$pkg $target"
		go test "$pkg" -run '^$' -fuzz "^$target\$" -fuzztime "$TIME" -fuzzminimizetime 1x
	done
done
