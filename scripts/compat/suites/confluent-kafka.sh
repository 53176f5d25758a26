#!/usr/bin/env bash
# The newest librdkafka, as Confluent's Python client on PyPI bundles it.
source "$(dirname "$0")/common.sh"
version=2.16.1

prepare() {
	[ -d venv-$version ] && return
	need python3
	rm -rf venv.new && python3 -m venv venv.new && venv.new/bin/pip install -q "confluent-kafka==$version" || skip "PyPI does not serve confluent-kafka $version"
	mv venv.new venv-$version
}

run() {
	local cases="admin produce_consume compression group cooperative transactions fenced offsets_by_time headers delete_records"
	serves 68 && cases+=" next_group"
	serves 78 && cases+=" share_group"
	for c in $cases; do
		step "$c" 60 venv-$version/bin/python "$root/scripts/compat/confluent_kafka_cases.py" "$c"
	done
}

"$1"
