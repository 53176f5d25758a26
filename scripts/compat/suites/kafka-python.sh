#!/usr/bin/env bash
# kafka-python's integration tests, as its source distribution on PyPI holds them.
source "$(dirname "$0")/common.sh"
version=3.0.12

prepare() {
	[ -x venv/bin/pytest ] && [ -d "kafka_python-$version" ] && return
	need python3
	python3 -m venv venv || skip "python3 has no venv"
	venv/bin/pip install -q pytest pytest-timeout pytest-mock lz4 python-snappy zstandard crc32c || skip "pip cannot install pytest"
	venv/bin/pip download -q --no-deps --no-binary :all: -d . "kafka-python==$version" || skip "PyPI does not serve kafka-python's sources"
	tar xzf "kafka_python-$version.tar.gz"
	mkdir -p "kafka_python-$version/servers/4.3.0/kafka-bin"
	# What the distribution leaves out: the mark of a package, so that it is not Python's own "test", and what starts brokers,
	# of which a broker that runs already needs only names.
	touch "kafka_python-$version/test/__init__.py"
	cat >"kafka_python-$version/test/service.py" <<-END
		class ExternalService:
		    def __init__(self, host, port):
		        self.host, self.port = host, port

		    def open(self):
		        pass

		    start = stop = close = dump_logs = open


		class SpawnedService(ExternalService):
		    def __init__(self, *args):
		        raise RuntimeError("nothing is started here")
	END
}

run() {
	cd "kafka_python-$version"
	local only=()
	if [ -n "${COMPAT_ONLY:-}" ]; then
		# test.integration.test_x.TestY.test_z[1] is test/integration/test_x.py::TestY::test_z[1]
		while read -r name; do
			only+=("$(sed -E 's#^test\.integration\.([a-z0-9_]+)\.#test/integration/\1.py::#; :a; s#(::[^.[]+)\.#\1::#; ta' <<<"$name")")
		done <<<"$COMPAT_ONLY"
	fi
	# The SSL tests start a broker of their own.
	KAFKA_URI="kafka://${COMPAT_BOOTSTRAP%%,*}" KAFKA_VERSION=4.3.0 PYTHONPATH=. ../venv/bin/pytest -q --timeout 90 --timeout-method signal -p no:cacheprovider \
		--ignore test/integration/test_ssl_integration.py --junitxml "$COMPAT_OUT/run.junit" "${only[@]:-test/integration}" || [ $? = 1 ]
}

"$1"
