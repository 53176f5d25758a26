"""Answers SQL with Apache Spark: a JSON object {"sql", "conf"} on each line in, an answer on each line out.

With "rows": false the query runs and its rows are thrown away: the answer is {"wall", "cpu"} in seconds and "peak" in bytes. Else an answer is {"types", "rows"}, the rows as Spark casts them to STRING (binary in hex), or {"condition", "sqlState", "error"}. A null is null. The pseudo statement "!examples" answers with the
statements of the examples that Spark's own documentation gives of its functions, one a row: function, statement.
"""
import json
import os
import re
import sys
import time

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions as F

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Java's own lines do not come between the answers

BASE = {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC"}


def session(threads, memory):
    b = SparkSession.builder.master(f"local[{threads}]").appName("answers")
    for k, v in {"spark.ui.enabled": "false", "spark.driver.memory": memory, "spark.sql.shuffle.partitions": str(threads), "spark.sql.warehouse.dir": "/nonexistent",
                 "spark.ui.showConsoleProgress": "false", **BASE}.items():
        b = b.config(k, v)
    s = b.getOrCreate()
    s.sparkContext.setLogLevel("OFF")
    return s


def text(field, column):
    return F.hex(column) if field.dataType.typeName() == "binary" else column.cast("string")


def used(spark):
    """Seconds of processor time and the most bytes of memory that Java has had."""
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as f:
        peak = int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1)) * 1024
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak


def answer(spark, ask):
    for k, v in {**BASE, **ask.get("conf", {})}.items():
        spark.conf.set(k, v)
    begin, cpu = time.perf_counter(), used(spark)[0]
    df = spark.sql(ask["sql"])
    if not df.columns:
        return {"types": [], "rows": []}
    if not ask.get("rows", True):
        df.write.format("noop").mode("overwrite").save()  # every row is made, none is carried to Python
        wall, (after, peak) = time.perf_counter() - begin, used(spark)
        return {"types": [], "rows": [], "wall": wall, "cpu": after - cpu, "peak": peak}
    names = [f"c{i}" for i in range(len(df.columns))]
    rows = df.toDF(*names).select(*[text(f, F.col(n)) for f, n in zip(df.schema.fields, names)]).collect()
    return {"types": [f.dataType.simpleString() for f in df.schema.fields], "rows": [list(r) for r in rows]}


def examples(spark):
    rows = []
    for (name,) in spark.sql("SHOW SYSTEM FUNCTIONS").collect():
        for (line,) in spark.sql(f"DESCRIBE FUNCTION EXTENDED `{name}`").collect():
            rows += [[name, s.strip()] for s in re.findall(r"^\s*> (.*?);\s*$", line, re.M)]
    return {"types": ["string", "string"], "rows": rows}


def main():
    threads, memory = int(sys.argv[1]), sys.argv[2]
    spark = session(threads, memory)
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            got = examples(spark) if ask["sql"] == "!examples" else answer(spark, ask)
        except PySparkException as e:
            got = {"condition": e.getCondition() or type(e).__name__, "sqlState": e.getSqlState() or "", "error": str(e)[:2000]}
        except Exception as e:  # Java's own exceptions
            got = {"condition": type(e).__name__, "sqlState": "", "error": str(e)[:2000]}
        print(json.dumps(got), file=out, flush=True)


main()
