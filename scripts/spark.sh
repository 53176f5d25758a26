#!/usr/bin/env bash
# Prints the Python that has Apache Spark with its jars: $SPARK_PYTHON, or one of its own in .cache/spark, into which PySpark is installed from PyPI
# once. Without Java, or where PyPI cannot be reached, it says why and fails.
set -eu
cd "$(dirname "$0")/.."
has_spark() { "$1" -c 'import os, sys, pyspark; sys.exit(not os.path.isdir(os.path.join(os.path.dirname(pyspark.__file__), "jars")))' >/dev/null 2>&1; }

command -v java >/dev/null 2>&1 || { echo "skipped: Spark needs java" >&2; exit 3; }
python=${SPARK_PYTHON:-.cache/spark/bin/python}
if ! has_spark "$python"; then
	python3 -m venv .cache/spark >/dev/null 2>&1 && timeout 600 .cache/spark/bin/pip install -q 'pyspark==4.1.*' >&2 && has_spark .cache/spark/bin/python ||
		{ echo "skipped: pip could not install pyspark" >&2; exit 3; }
	python=.cache/spark/bin/python
fi
echo "$python"
