#!/usr/bin/env bash
# Sarama's functional tests, as its module on the Go proxy holds them. They want five brokers, each behind a toxiproxy at
# 127.0.0.1:29091 to 29095, through which they cut and slow connections: the nodes tell clients those addresses.
source "$(dirname "$0")/common.sh"
sarama=v1.61.1 toxiproxy=v2.5.0

prepare() {
	[ -x "sarama-$sarama.test" ] && [ -x "toxiproxy-$toxiproxy" ] && return
	need go
	printf 'module compat\n\ngo 1.26\n' >go.mod
	printf 'package compat\n\nimport _ "github.com/IBM/sarama"\n' >compat.go
	go get -t "github.com/IBM/sarama@$sarama" || skip "the Go proxy does not serve Sarama"
	nice go test -c -tags functional -o "sarama-$sarama.test" github.com/IBM/sarama
	GOBIN=$COMPAT_CACHE go install "github.com/Shopify/toxiproxy/v2/cmd/server@$toxiproxy" || skip "the Go proxy does not serve toxiproxy"
	mv server "toxiproxy-$toxiproxy"
}

run() {
	local i sep="" proxies="" dir only=${COMPAT_ONLY:-}
	for i in 1 2 3 4 5; do
		proxies+="$sep{\"name\":\"kafka$i\",\"listen\":\"127.0.0.1:2909$i\",\"upstream\":\"127.0.0.1:3909$i\",\"enabled\":true}" sep=,
	done
	echo "[$proxies]" >"$COMPAT_OUT/proxies.json"
	"./toxiproxy-$toxiproxy" -port 28474 -config "$COMPAT_OUT/proxies.json" >"$COMPAT_OUT/toxiproxy.log" 2>&1 &
	trap "kill $!" EXIT
	sleep 1
	dir=$(go list -f '{{.Dir}}' github.com/IBM/sarama)
	only=$(sed 's,/.*,,' <<<"$only" | sort -u | paste -sd '|')
	# Some tests stop and start brokers by docker compose.
	(cd "$dir" && PATH=$root/scripts/compat/docker:$PATH TOXIPROXY_ADDR=http://127.0.0.1:28474 KAFKA_VERSION=4.0.0 "$COMPAT_CACHE/sarama-$sarama.test" -test.v=test2json -test.timeout 9m -test.run "^(${only:-TestFunc.*})\$" 2>&1 |
		tee "$COMPAT_OUT/tests.log" | go tool test2json >"$COMPAT_OUT/sarama.gotest") || true
}

"$1"
