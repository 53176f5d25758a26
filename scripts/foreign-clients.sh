#!/usr/bin/env bash
# Installs the foreign clients that some tests use: kcat (Debian's package), and PySpark's client and a newer librdkafka under
# Python (from PyPI, into .venv), and DuckDB with its extension tpcds for the TPC-DS queries.
# Nothing depends on it: what cannot be installed is said, and the tests of that client say "skipped: why" and pass.
set -u
cd "$(dirname "$0")/.."

if command -v kcat >/dev/null 2>&1; then
	echo "kcat: $(command -v kcat)"
elif command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
	{ timeout 120 apt-get update -qq && timeout 120 apt-get install -y -qq kcat; } >/dev/null 2>&1 &&
		echo "kcat: installed" || echo "kcat skipped: apt-get could not install it"
else
	echo "kcat skipped: it is not installed, and only root can install it by apt-get"
fi

has_pyspark() { "$1" -c 'import pyspark.sql.connect.session, pandas' >/dev/null 2>&1; }

if has_pyspark "${STREAMFLOW_PYTHON:-python3}"; then
	echo "pyspark: ${STREAMFLOW_PYTHON:-python3} has it"
elif [ -x .venv/bin/python ] && has_pyspark .venv/bin/python; then
	echo "pyspark: .venv has it"
elif ! command -v python3 >/dev/null 2>&1; then
	echo "pyspark skipped: there is no python3"
elif timeout 60 python3 -m venv .venv >/dev/null 2>&1 &&
	timeout 300 .venv/bin/pip install -q 'pyspark-client==4.1.*' pandas pyarrow >/dev/null 2>&1 && has_pyspark .venv/bin/python; then
	echo "pyspark: installed in .venv; set STREAMFLOW_PYTHON=$PWD/.venv/bin/python"
else
	rm -rf .venv
	echo "pyspark skipped: pip could not install pyspark-client"
fi

has_librdkafka() { .venv/bin/python -c 'import confluent_kafka as c, sys; sys.exit(int(c.version().split(".")[1]) < 12)' >/dev/null 2>&1; }

if has_librdkafka; then
	echo "librdkafka: .venv has it"
elif { [ -x .venv/bin/python ] || timeout 60 python3 -m venv .venv >/dev/null 2>&1; } &&
	timeout 300 .venv/bin/pip install -q 'confluent-kafka==2.16.*' >/dev/null 2>&1 && has_librdkafka; then
	echo "librdkafka: installed in .venv"
else
	echo "librdkafka skipped: pip could not install confluent-kafka"
fi

has_tpcds() { "$1" -c 'import duckdb, importlib.metadata as m; m.files("duckdb-extension-tpcds")' >/dev/null 2>&1; }

if has_tpcds "${STREAMFLOW_PYTHON:-.venv/bin/python}"; then
	echo "tpcds: ${STREAMFLOW_PYTHON:-.venv} has it"
elif { [ -x .venv/bin/python ] || timeout 60 python3 -m venv .venv >/dev/null 2>&1; } &&
	timeout 300 .venv/bin/pip install -q 'duckdb==1.5.5' 'duckdb-extension-tpcds==1.5.5' >/dev/null 2>&1 && has_tpcds .venv/bin/python; then
	echo "tpcds: installed in .venv"
else
	echo "tpcds skipped: pip could not install duckdb and duckdb-extension-tpcds"
fi
