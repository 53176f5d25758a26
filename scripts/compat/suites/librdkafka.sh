#!/usr/bin/env bash
# librdkafka's own test suite. Its sources, tests included, come with the npm package of its JavaScript binding.
source "$(dirname "$0")/common.sh"
source "$here/maven.sh"
version=1.10.1 # of the binding; it holds librdkafka 2.15.1

prepare() {
	# Some tests run a Java producer of theirs beside librdkafka, built with Kafka's jars.
	(kafka_jars) || true
	[ -x "$version/tests/test-runner" ] && return
	need npm && need make
	packages gcc g++ libssl-dev zlib1g-dev rapidjson-dev libcurl4-openssl-dev
	npm pack --silent "@confluentinc/kafka-javascript@$version" >/dev/null || skip "npm does not serve librdkafka's sources"
	rm -rf "$version" && mkdir "$version"
	tar xzf "confluentinc-kafka-javascript-$version.tgz" -C "$version" --strip-components=3 package/deps/librdkafka
	cd "$version"
	# Its configure reads every file here that is named configure.*, so the logs stand outside.
	nice ./configure --disable-gssapi >../configure.out 2>&1 && nice make -j"$(nproc)" libs >../libs.out 2>&1 &&
		nice make -j"$(nproc)" -C tests test-runner >../tests.out 2>&1 || { tail -n 20 ../*.out && exit 1; }
}

# version_of says what librdkafka may expect: its share group tests begin at 4.2.
version_of() { if serves 78; then echo 4.2.0; else echo 4.0.0; fi; }

run() {
	cd "$version/tests"
	cat >"$COMPAT_OUT/test.conf" <<-END
		bootstrap.servers=$COMPAT_BOOTSTRAP
		test.timeout.multiplier=${RDKAFKA_PATIENCE:-2}
	END
	export RDKAFKA_TEST_CONF=$COMPAT_OUT/test.conf TEST_KAFKA_VERSION=$(version_of) BROKERS=$COMPAT_BOOTSTRAP
	mkdir -p "$COMPAT_CACHE/kafka"
	ln -sfn "$root/scripts/compat/kafka/bin" "$COMPAT_CACHE/kafka/bin"
	ln -sfn "$jars" "$COMPAT_CACHE/kafka/libs"
	export KAFKA_PATH=$COMPAT_CACHE/kafka LD_LIBRARY_PATH=../src:../src-cpp
	# -Q quick, -L without those that need no broker, -K without those that librdkafka itself knows to fail
	if [ -z "${COMPAT_ONLY:-}" ]; then
		# As many at once as there are processors: starved tests run out of time. A runner that died is started once more.
		runner "-p${RDKAFKA_PARALLEL:-$(nproc)}" run || runner -p2 run
		return
	fi
	while read -r name; do
		TESTS=${name%%_*} runner -p1 "$name" || true
	done <<<"$COMPAT_ONLY"
}

# runner PARALLEL NAME runs tests; it fails when there is no result: the runner aborts when a failed test has left threads behind.
runner() {
	local code=0
	./test-runner "$1" -Q -L -K >"$COMPAT_OUT/$2.out" 2>"$COMPAT_OUT/$2.log" || code=$?
	echo "test-runner $1: code $code"
	grep -q SUMMARY "$COMPAT_OUT/$2.out" && mv "$COMPAT_OUT/$2.out" "$COMPAT_OUT/$2.librdkafka"
}

"$1"
