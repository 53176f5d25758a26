#!/usr/bin/env bash
# The tests of franz-go's client and admin packages, as their modules on the Go proxy hold them.
source "$(dirname "$0")/common.sh"
kgo=v1.22.2 kadm=v1.19.0

prepare() {
	[ -x "kgo-$kgo.test" ] && [ -x "kadm-$kadm.test" ] && return
	need go
	printf 'module compat\n\ngo 1.26\n' >go.mod
	printf 'package compat\n\nimport (\n\t_ "github.com/twmb/franz-go/pkg/kadm"\n\t_ "github.com/twmb/franz-go/pkg/kgo"\n)\n' >compat.go
	go get -t "github.com/twmb/franz-go/pkg/kgo@$kgo" "github.com/twmb/franz-go/pkg/kadm@$kadm" || skip "the Go proxy does not serve franz-go"
	nice go test -c -o "kgo-$kgo.test" github.com/twmb/franz-go/pkg/kgo
	nice go test -c -o "kadm-$kadm.test" github.com/twmb/franz-go/pkg/kadm
}

# tests PACKAGE BINARY: some of the tests read their package's sources.
tests() {
	local dir only=${COMPAT_ONLY:-}
	dir=$(go list -f '{{.Dir}}' "$1")
	only=$(sed 's,/.*,,' <<<"$only" | sort -u | paste -sd '|')
	(cd "$dir" && "$COMPAT_CACHE/$2" -test.v=test2json -test.timeout 9m ${only:+-test.run "^($only)\$"} 2>&1 | go tool test2json >"$COMPAT_OUT/$2.gotest") || true
}

run() {
	export KGO_SEEDS=$COMPAT_BOOTSTRAP KGO_TEST_RECORDS=${KGO_TEST_RECORDS:-50000} KGO_TEST_RF=$COMPAT_NODES
	tests github.com/twmb/franz-go/pkg/kgo "kgo-$kgo.test"
	tests github.com/twmb/franz-go/pkg/kadm "kadm-$kadm.test"
}

"$1"
