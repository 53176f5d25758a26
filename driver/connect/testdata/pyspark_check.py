"""An unmodified PySpark client against the server whose address is the first argument.

It needs nothing of the engine but projections and filters over ranges and local rows, so that it runs against the
backend of the tests as well as against a node. It prints one line for each check and ends with the number of failures.
"""

import datetime
import decimal
import io
import sys
from contextlib import redirect_stdout

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.remote(sys.argv[1]).config("spark.sql.session.timeZone", "UTC").getOrCreate()
failures = 0


def check(name, got, want):
    global failures
    ok = got == want
    print("ok  " if ok else "FAIL", name, "" if ok else f"\n  got  {got!r}\n  want {want!r}")
    failures += not ok


def shown(df, *args, **kwargs):
    out = io.StringIO()
    with redirect_stdout(out):
        df.show(*args, **kwargs)
    return out.getvalue()


def printed(f):
    out = io.StringIO()
    with redirect_stdout(out):
        f()
    return out.getvalue()


def raises(kind, f):
    try:
        f()
    except kind as e:
        return e
    except Exception as e:  # another kind is the failure that is looked for
        return f"{type(e).__name__}: {e}"
    return "no error"


check("version", spark.version.startswith("4."), True)
check("select 1", shown(spark.sql("select 1 as one")), "+---+\n|one|\n+---+\n|  1|\n+---+\n\n")
check("range", [r.id for r in spark.range(5).collect()], [0, 1, 2, 3, 4])
check("range over batches", [r.id for r in spark.range(2500).collect()], list(range(2500)))
check("nothing", spark.range(0).collect(), [])
check("show is cut", shown(spark.range(3), 2), "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\nonly showing top 2 rows\n")
check("vertical", shown(spark.range(1), vertical=True), "-RECORD 0--\n id  | 0   \n\n")

rows = [
    (1, "ä", 1.5, decimal.Decimal("1.25"), datetime.date(2024, 2, 29), [1, 2], {"k": 1}, True, bytearray(b"\x01")),
    (2, None, None, None, None, None, None, None, None),
]
ddl = "i INT, s STRING, d DOUBLE, c DECIMAL(10,2), t DATE, a ARRAY<INT>, m MAP<STRING,INT>, b BOOLEAN, x BINARY"
local = spark.createDataFrame(rows, ddl)
check("createDataFrame", [tuple(r) for r in local.collect()], [rows[0][:-1] + (b"\x01",), rows[1]])
check("schema", local.schema.simpleString(), "struct<i:int,s:string,d:double,c:decimal(10,2),t:date,a:array<int>,m:map<string,int>,b:boolean,x:binary>")
check("nested cells", shown(local.select("a", "m", "x").limit(1)),
      "+------+--------+----+\n|     a|       m|   x|\n+------+--------+----+\n|[1, 2]|{k -> 1}|[01]|\n+------+--------+----+\n\n")
check("printSchema", printed(local.select("i", "a").printSchema),
      "root\n |-- i: integer (nullable = true)\n |-- a: array (nullable = true)\n |    |-- element: integer (containsNull = true)\n\n")
check("pandas", list(spark.range(3).toPandas()["id"]), [0, 1, 2])
check("explain", "Range" in printed(lambda: spark.range(3).explain()), True)

ts = datetime.datetime(2024, 5, 1, 12, 30, 15, 250000)
check("timestamps", spark.createDataFrame([(ts,)], "ts TIMESTAMP_NTZ").collect()[0].ts, ts)
noon = datetime.time(12, 30, 5, 250000)
check("times of day", spark.createDataFrame([(noon,)], "t TIME").select("t", F.hour("t"), F.lit(noon)).collect()[0][0:3], (noon, 12, noon))
doc = spark.sql("""select parse_json('{"a":[1,2.5],"b":null}') as v""")
check("variant", (doc.collect()[0].v.toJson(), doc.schema["v"].dataType.simpleString()), ('{"a":[1,2.5],"b":null}', "variant"))
check("variant_get", doc.select(F.variant_get("v", "$.a[1]", "double").alias("x")).collect()[0].x, 2.5)
check("intervals", spark.sql("select interval '1 02:00:00' day to second as i").collect()[0].i, datetime.timedelta(days=1, hours=2))
check("calendar interval", shown(spark.sql("select make_interval(0, 1, 0, 3) as i"), truncate=False), "+---------------+\n|i              |\n+---------------+\n|1 months 3 days|\n+---------------+\n\n")

large = spark.createDataFrame([(i, "x" * 100) for i in range(20000)], "i INT, s STRING")
check("cached local relation", sum(r.i for r in large.select("i").collect()), sum(range(20000)))

df = spark.range(10)
check("filter", [r.id for r in df.filter((F.col("id") > 3) & (df.id % 2 == 0)).collect()], [4, 6, 8])
check("withColumn", [tuple(r) for r in df.withColumn("two", F.col("id") * 2).limit(2).collect()], [(0, 0), (1, 2)])
check("renamed", df.withColumnRenamed("id", "n").columns, ["n"])
check("drop", df.withColumn("x", F.lit("a")).drop("id").columns, ["x"])
check("selectExpr", [tuple(r) for r in df.selectExpr("id + 1 as next").limit(1).collect()], [(1,)])
check("when", [r.w for r in spark.range(2).select(F.when(F.col("id") == 0, "zero").otherwise("more").alias("w")).collect()], ["zero", "more"])
check("fillna", [r.s for r in local.fillna("-", ["s"]).collect()], ["ä", "-"])

df.filter("id < 2").createOrReplaceTempView("few")
check("view", [r.id for r in spark.table("few").collect()], [0, 1])
check("view in sql", [r.id for r in spark.sql("select * from few").collect()], [0, 1])
check("parameters", spark.sql("select ? as a, ? as b", args=[1, "x"]).collect()[0].asDict(), {"a": 1, "b": "x"})
check("named parameters", spark.sql("select :v as a", args={"v": 5}).collect()[0].a, 5)
check("listTables", [t.name for t in spark.catalog.listTables()], ["few"])
check("tableExists", (spark.catalog.tableExists("few"), spark.catalog.tableExists("none")), (True, False))
check("listColumns", [c.dataType for c in spark.catalog.listColumns("few")], ["bigint"])
check("dropTempView", (spark.catalog.dropTempView("few"), spark.catalog.dropTempView("few")), (True, False))
check("currentDatabase", spark.catalog.currentDatabase(), "default")

spark.conf.set("spark.sql.shuffle.partitions", "7")
check("conf", spark.conf.get("spark.sql.shuffle.partitions"), "7")
check("conf with default", spark.conf.get("spark.none", "d"), "d")
check("isModifiable", spark.conf.isModifiable("spark.sql.warehouse.dir"), False)
e = raises(PySparkException, lambda: spark.conf.get("spark.none"))
check("unknown conf", getattr(e, "getCondition", lambda: e)(), "SQL_CONF_NOT_FOUND")

e = raises(ParseException, lambda: spark.sql("selec 1").collect())
check("syntax error", getattr(e, "getCondition", lambda: e)(), "PARSE_SYNTAX_ERROR")
e = raises(AnalysisException, lambda: spark.range(1).select("nope").collect())
check("unknown column", getattr(e, "getCondition", lambda: e)(), "UNRESOLVED_COLUMN.WITH_SUGGESTION")
e = raises(AnalysisException, lambda: spark.table("nothing").collect())
check("unknown table", getattr(e, "getCondition", lambda: e)(), "TABLE_OR_VIEW_NOT_FOUND")
check("unknown table's parameters", getattr(e, "getMessageParameters", lambda: e)(), {"relationName": "`nothing`"})

check("sameSemantics", spark.range(3).sameSemantics(spark.range(3)), True)
check("storageLevel", (df.cache().storageLevel.useMemory, df.unpersist().storageLevel.useMemory), (True, False))
check("isLocal", (local.isLocal(), spark.range(1).isLocal()), (True, False))
check("interrupt", spark.interruptAll(), [])
check("streams", spark.streams.active, [])

if "--streams" in sys.argv:  # a backend whose streaming queries run until they are stopped
    q = spark.readStream.table("events").writeStream.queryName("watch").format("console").outputMode("update").trigger(processingTime="1 second").start()
    check("isActive", q.isActive, True)
    check("status", q.status["message"], "Waiting for data to arrive")
    check("lastProgress", q.lastProgress, None)
    check("active streams", [x.name for x in spark.streams.active], ["watch"])
    check("get", spark.streams.get(q.id).runId, q.runId)
    check("awaitTermination", q.awaitTermination(0.1), False)
    q.processAllAvailable()
    q.stop()
    check("stopped", (q.isActive, q.exception()), (False, None))
    check("awaitAnyTermination", spark.streams.awaitAnyTermination(5), True)
    spark.streams.resetTerminated()
    check("after reset", spark.streams.awaitAnyTermination(0.1), False)

spark.stop()
print(f"failures: {failures}")
sys.exit(1 if failures else 0)
