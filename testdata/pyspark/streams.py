"""PySpark's streaming API, unmodified, against a node: sources, operators, output modes, triggers, queries, listeners, and what is
refused. Prints "ok" at the end."""
import faulthandler
import sys
import tempfile
import threading
import time

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions as F
from pyspark.sql.streaming import StreamingQueryListener

faulthandler.dump_traceback_later(120, exit=True)  # a call that waits for ever says which it is
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("streamflow.state.unbounded", "allow")

spark.sql("drop table if exists events")
spark.sql("create table events (ts timestamp, kind string, n int) using topic options (partitions '1')")
spark.sql("create table names (ts timestamp, kind string, name string) using topic")
spark.sql("""insert into events values (timestamp '2024-01-01 00:00:01', 'a', 1), (timestamp '2024-01-01 00:00:30', 'a', 2),
    (timestamp '2024-01-01 00:00:30', 'a', 2), (timestamp '2024-01-01 00:05:00', 'b', 3), (timestamp '2024-01-01 01:00:00', 'c', 0)""")
spark.sql("insert into names values (timestamp '2024-01-01 00:00:10', 'a', 'ant'), (timestamp '2024-01-01 00:05:10', 'b', 'bee'), (timestamp '2024-01-01 02:00:00', 'z', 'end')")


def events():
    return spark.readStream.table("events").withWatermark("ts", "1 minute")


def rows_of(df, name, mode="append", **options):
    """The rows that a stream of all that is there gives, and its query."""
    w = df.writeStream.queryName(name).format("memory").outputMode(mode).trigger(availableNow=True)
    q = w.options(**options).start()
    assert q.awaitTermination(60), name
    assert q.exception() is None and not q.isActive, q.exception()
    return [tuple(r) for r in spark.sql("select * from " + name).collect()], q


# Operators and output modes.
df = events()
assert df.isStreaming and not spark.table("events").isStreaming
rows, q = rows_of(df.where("n > 0").select("kind", (F.col("n") * 2).alias("m")), "plain")
assert sorted(rows) == [("a", 2), ("a", 4), ("a", 4), ("b", 6)], rows
rows, q = rows_of(df.groupBy(F.window("ts", "1 minute"), "kind").count().select(F.col("window.start").alias("w"), "kind", "count"), "tumbling")
assert sorted((w.minute, k, n) for w, k, n in rows)[:1] == [(0, "a", 3)], rows
rows, _ = rows_of(df.groupBy(F.window("ts", "1 minute", "30 seconds")).count(), "sliding", "update")
assert len(rows) == 7, rows
rows, _ = rows_of(df.groupBy(F.session_window("ts", "1 minute"), "kind").agg(F.sum("n").alias("n")).select("kind", "n"), "sessions")
assert ("a", 5) in rows, rows
gap = F.when(F.col("kind") == "a", "10 seconds").otherwise("5 minutes")
rows, _ = rows_of(df.groupBy(F.session_window("ts", gap), "kind").agg(F.count("*").alias("n")).select("kind", "n"), "gaps")
assert sorted(r for r in rows if r[0] == "a") == [("a", 1), ("a", 2)], rows
rows, _ = rows_of(df.groupBy("kind", F.expr("count_window(ts, 2)")).agg(F.sum("n").alias("n")).select("kind", "n"), "counted", "update")
assert sorted(r for r in rows if r[0] == "a") == [("a", 2), ("a", 3)], rows
rows, _ = rows_of(df.groupBy("kind").agg(F.countDistinct("n").alias("d")), "different", "complete")
assert sorted(rows) == [("a", 2), ("b", 1), ("c", 1)], rows
rows, _ = rows_of(df.groupBy("kind").count().orderBy(F.desc("count")).limit(1), "top", "complete")
assert rows == [("a", 3)], rows
rows, _ = rows_of(df.dropDuplicates(["kind", "n"]).select("kind", "n"), "once")
assert sorted(rows) == [("a", 1), ("a", 2), ("b", 3), ("c", 0)], rows
rows, _ = rows_of(df.dropDuplicatesWithinWatermark(["kind"]).select("kind"), "within")
assert sorted(rows) == [("a",), ("b",), ("c",)], rows
names = spark.readStream.table("names").withWatermark("ts", "2 minutes")
e, n = df.alias("e"), names.alias("n")
near = (F.col("e.kind") == F.col("n.kind")) & F.expr("n.ts between e.ts - interval 1 minute and e.ts + interval 1 minute")
rows, _ = rows_of(e.join(n, near).select("e.kind", "name"), "joined")
assert sorted(rows) == [("a", "ant"), ("a", "ant"), ("a", "ant"), ("b", "bee")], rows
rows, _ = rows_of(e.join(n, near, "left_outer").select("e.kind", "name"), "left_joined")
assert ("b", "bee") in rows and ("a", "ant") in rows, rows
kinds = spark.createDataFrame([("a", "first"), ("b", "second")], "kind string, label string")
rows, _ = rows_of(df.join(kinds, "kind").select("kind", "label"), "labelled")
assert sorted(set(rows)) == [("a", "first"), ("b", "second")], rows
rows, _ = rows_of(df.select("kind").union(names.select("kind")), "union_of")
assert len(rows) == 8, rows

# Triggers, progress, and the life of a query.
q = df.writeStream.queryName("watch").format("memory").trigger(processingTime="200 milliseconds").start()
q.processAllAvailable()
assert q.isActive and q.status["message"] and q.lastProgress.numInputRows == 5, q.lastProgress
assert [p.batchId for p in q.recentProgress] == [0] and q.lastProgress.name == "watch" and q.lastProgress.sources[0].endOffset, q.recentProgress
assert [x.name for x in spark.streams.active] == ["watch"] and spark.streams.get(q.id).runId == q.runId
assert q.awaitTermination(0.2) is False
q.explain(), q.explain(extended=True)
spark.sql("insert into events values (timestamp '2024-01-01 03:00:00', 'd', 9)")
q.processAllAvailable()
assert spark.table("watch").count() == 6
q.stop()
assert spark.streams.awaitAnyTermination(10) and not q.isActive
spark.streams.resetTerminated()
assert spark.streams.awaitAnyTermination(0.1) is False and spark.streams.active == []
once = df.writeStream.queryName("one_batch").format("memory").trigger(once=True).start()
assert once.awaitTermination(60) and spark.table("one_batch").count() == 6

# Sinks: tables, files, console.
copies = df.select("kind", "n").writeStream.queryName("copy").trigger(availableNow=True).toTable("copies")
assert copies.awaitTermination(60) and spark.table("copies").count() == 6
with tempfile.TemporaryDirectory() as d:
    for fmt in ("parquet", "json", "csv"):
        q = df.select("kind", "n").writeStream.queryName("to_" + fmt).format(fmt).option("path", d + "/" + fmt).option("checkpointLocation", d + "/c").trigger(availableNow=True).start()
        assert q.awaitTermination(60) and spark.read.schema("kind string, n int").format(fmt).load(d + "/" + fmt).count() == 6, fmt
rate = spark.readStream.format("rate").option("rowsPerSecond", 1000).load()
q = rate.selectExpr("value % 10 as v").writeStream.queryName("rated").format("memory").start()
deadline = time.time() + 30
while spark.table("rated").count() == 0 and time.time() < deadline:
    time.sleep(0.05)
q.stop()
assert spark.table("rated").count() > 0


# A listener is told when queries start, progress and end.
class Listener(StreamingQueryListener):
    def __init__(self):
        self.seen, self.ended = [], threading.Event()

    def onQueryStarted(self, event):
        self.seen.append(("started", event.name))

    def onQueryProgress(self, event):
        self.seen.append(("progress", event.progress.name, event.progress.numInputRows))

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        self.seen.append(("ended", str(event.id)))
        self.ended.set()


listener = Listener()
spark.streams.addListener(listener)
_, q = rows_of(df, "heard")
assert listener.ended.wait(20), listener.seen
# The client itself says "started", when it has the answer to start(); what the node tells may be there before.
told = [e for e in listener.seen if e[0] != "started"]
assert ("started", "heard") in listener.seen and told[0] == ("progress", "heard", 6) and told[-1] == ("ended", str(q.id)), listener.seen
spark.streams.removeListener(listener)


# A query that fails says why; what cannot run is refused when it is started, with its error class.
bad = spark.readStream.table("events").where("n = 9").selectExpr("raise_error('boom') as x").writeStream.queryName("fails").format("memory").start()
try:
    bad.awaitTermination(30)
except PySparkException as e:
    assert "boom" in str(e), e
else:
    # A row that an expression fails for is set aside; the query goes on.
    assert bad.isActive and spark.table("`fails.dead`").count() == 1
    bad.stop()


def refused(start, *words):
    try:
        start()
    except PySparkException as e:
        assert all(w in str(e) for w in words), e
    else:
        raise SystemExit(f"{words} went through")


refused(lambda: df.writeStream.foreachBatch(lambda b, i: None).start(), "UNSUPPORTED_FEATURE.FOREACH", "addListener")
refused(lambda: df.writeStream.foreach(lambda r: None).start(), "UNSUPPORTED_FEATURE.FOREACH")
refused(lambda: df.groupBy("kind").count().writeStream.format("memory").queryName("x").start(), "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION")
refused(lambda: df.writeStream.format("memory").queryName("x").outputMode("complete").start(), "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION")
refused(lambda: df.orderBy("n").writeStream.format("memory").queryName("x").start(), "UNSUPPORTED_STREAMING_OPERATION")
refused(lambda: spark.readStream.table("events").dropDuplicatesWithinWatermark(["kind"]).writeStream.format("memory").queryName("x").start(), "watermark")
refused(lambda: spark.readStream.table("nothing").writeStream.format("memory").queryName("x").start(), "TABLE_OR_VIEW_NOT_FOUND")
assert spark.streams.active == []
print("ok")
