"""Writes the 24 tables of TPC-DS as Parquet, the 99 queries and DuckDB's answers into a directory.

usage: prepare.py SCALE DIR

DuckDB's extension tpcds (PyPI: duckdb, duckdb-extension-tpcds) has the generator and the queries; nothing of them is kept
here. An answer is what internal/oracle loads: a line with columns and types, then a line for each row. It is that of the
query without its last LIMIT, since ties decide which rows come first. Names are quoted as Spark does.
"""
import datetime
import decimal
import importlib.metadata
import json
import os
import re
import sys

import duckdb


def extension():
    for f in importlib.metadata.files("duckdb-extension-tpcds"):
        if str(f).endswith("tpcds.duckdb_extension") and f"v{duckdb.__version__}/" in str(f):
            return os.path.abspath(f.locate())
    sys.exit(f"no extension tpcds for DuckDB {duckdb.__version__}")


def text(v):
    if v is None or isinstance(v, str):
        return v
    if isinstance(v, float):
        return format(v, ".17g")
    if isinstance(v, (int, decimal.Decimal)):
        return format(v, "f" if isinstance(v, decimal.Decimal) else "d")
    if isinstance(v, datetime.date):
        return v.isoformat()
    sys.exit(f"no text for {type(v)}")


def main(scale, out):
    os.makedirs(os.path.join(out, "queries"), exist_ok=True)
    os.makedirs(os.path.join(out, "answers"), exist_ok=True)
    db = duckdb.connect(config={"threads": 2})
    db.execute(f"LOAD '{extension()}'")
    db.execute(f"CALL dsdgen(sf={scale})")
    for (table,) in db.execute("SELECT table_name FROM information_schema.tables").fetchall():
        db.execute(f"COPY {table} TO '{out}/{table}.parquet' (FORMAT parquet)")
    for n, query in db.execute("SELECT query_nr, query FROM tpcds_queries()").fetchall():
        query = re.sub(r"LIMIT\s+\d+\s*;?\s*$", "", query.strip().rstrip(";"))
        with open(f"{out}/queries/q{n}.sql", "w") as f:
            f.write(re.sub(r'"([^"]*)"', r"`\1`", query))  # Spark quotes names so
        r = db.execute(query)
        head = {"columns": [c[0] for c in r.description], "types": [str(c[1]) for c in r.description]}
        with open(f"{out}/answers/q{n}.json", "w") as f:
            for line in [head] + [[text(v) for v in row] for row in r.fetchall()]:
                f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(float(sys.argv[1]), sys.argv[2])
