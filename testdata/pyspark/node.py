"""An unmodified PySpark client against a node: batch, files, topics and a streaming query. Prints "ok" at the end."""
import datetime
import sys
import tempfile

from pyspark.sql import SparkSession, Window, functions as F

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()

spark.sql("select 1 as one, 'x' as letter").show()
assert spark.range(1000).selectExpr("sum(id) as s").collect()[0].s == 499500

people = spark.createDataFrame([("ann", 31), ("bob", 25), ("cid", 31)], "name string, age int")
ages = people.groupBy("age").agg(F.count("*").alias("n"), F.max("name").alias("last")).orderBy("age").collect()
assert [(r.age, r.n, r["last"]) for r in ages] == [(25, 1, "bob"), (31, 2, "cid")], ages
assert people.filter(F.col("age") > 30).count() == 2
assert people.toPandas().shape == (3, 2)

lists = spark.createDataFrame([(1, [1, 2, 3]), (2, [])], "id int, xs array<int>")
higher = lists.select(F.transform("xs", lambda x, i: x * 10 + i).alias("t"), F.filter("xs", lambda x: x > 1).alias("f"), F.aggregate("xs", F.lit(0), lambda s, x: s + x, lambda s: s + F.col("id")).alias("s")).collect()
assert [(r.t, r.f, r.s) for r in higher] == [([10, 21, 32], [2, 3], 7), ([], [], 2)], higher

cube = people.cube("age").agg(F.count("*").alias("n"), F.grouping_id().alias("g")).orderBy("g", "age").collect()
assert [(r.age, r.n, r.g) for r in cube] == [(25, 1, 0), (31, 2, 0), (None, 3, 1)], cube

by_age = Window.partitionBy("age").orderBy(F.col("name").desc())
placed = people.select("name", F.row_number().over(by_age).alias("n"), F.lag("name", 1, "-").over(by_age).alias("before"),
                       F.count("*").over(Window.orderBy("name").rowsBetween(-1, Window.currentRow)).alias("near")).orderBy("name").collect()
assert [(r.name, r.n, r.before, r.near) for r in placed] == [("ann", 2, "cid", 1), ("bob", 1, "-", 2), ("cid", 1, "-", 2)], placed

wide = people.groupBy("age").pivot("name", ["ann", "cid"]).agg(F.count("*")).orderBy("age").collect()
assert [(r.age, r.ann, r.cid) for r in wide] == [(25, None, None), (31, 1, 1)], wide
assert people.groupBy().pivot("age").agg(F.max("name")).columns == ["25", "31"]
long = people.groupBy("age").pivot("name", ["ann", "cid"]).agg(F.count("*")).unpivot("age", ["ann", "cid"], "name", "n").where("n is not null").orderBy("name").collect()
assert [(r.age, r.name, r.n) for r in long] == [(31, "ann", 1), (31, "cid", 1)], long
apart = lists.lateralJoin(spark.tvf.explode(F.col("xs").outer())).select("id", "col").orderBy("col").collect()
assert [(r.id, r.col) for r in apart] == [(1, 1), (1, 2), (1, 3)], apart
assert people.where(F.col("age") == people.select(F.max("age")).scalar()).count() == 2
rich = people.alias("p").where(people.alias("q").where(F.col("q.age") < F.col("p.age").outer()).exists()).count()
assert rich == 2, rich
chain = spark.sql("with recursive n(i) as (values (1) union all select i + 1 from n where i < 5) select sum(i) as s from n |> extend s * 2 as twice").collect()
assert [(r.s, r.twice) for r in chain] == [(15, 30)], chain

dice = spark.range(100).withColumn("r", F.rand()).cache()
assert dice.join(dice.withColumnRenamed("r", "s"), "id").where("r = s").count() == 100
assert dice.storageLevel.useMemory
dice.unpersist()

spark.sql("create database if not exists shop")
spark.catalog.setCurrentDatabase("shop")
spark.sql("create table goods (id int, name string) using parquet")
spark.sql("insert into goods select * from {rows}", rows=spark.createDataFrame([(1, "ink"), (2, "pen")], "id int, name string"))
spark.sql("merge into goods using (select 2 as id, 'pencil' as name) s on goods.id = s.id when matched then update set * when not matched then insert *")
spark.sql("update goods set name = upper(name) where id = :id", args={"id": 1})
spark.sql("delete from goods where id > ?", args=[5])
assert [(r.id, r.name) for r in spark.sql("select * from goods order by id").collect()] == [(1, "INK"), (2, "pencil")]
assert spark.catalog.currentDatabase() == "shop" and spark.catalog.databaseExists("shop") and spark.catalog.tableExists("shop.goods")
assert [t.name for t in spark.catalog.listTables()] == ["goods"], spark.catalog.listTables()
spark.catalog.cacheTable("goods")
assert spark.catalog.isCached("goods") and spark.table("goods").count() == 2
spark.catalog.uncacheTable("goods")
assert not spark.catalog.isCached("goods")
spark.sql("alter table goods add column price double")
assert spark.table("goods").columns == ["id", "name", "price"]
spark.sql("create function half(x double) returns double return x / 2")
assert spark.range(1).select(F.expr("half(3)").alias("h")).collect()[0].h == 1.5
spark.catalog.setCurrentDatabase("default")
spark.sql("drop database shop cascade")

with tempfile.TemporaryDirectory() as d:
    people.write.parquet(d + "/people")
    assert spark.read.parquet(d + "/people").count() == 3

spark.sql("create table events (ts timestamp, kind string, n int, watermark for ts as ts - interval 1 minute) using topic options (partitions '2')")
spark.sql("insert into events values (timestamp '2024-01-01 00:00:01', 'a', 1), (timestamp '2024-01-01 00:00:30', 'a', 2), (timestamp '2024-01-01 00:05:00', 'b', 3)")
spark.table("events").createOrReplaceTempView("v")
rows = spark.sql("select window(ts, '1 minute').start as w, kind, sum(n) as n from v group by 1, 2 order by 1").collect()
assert [(r.w.minute, r.kind, r.n) for r in rows] == [(0, "a", 3), (5, "b", 3)], rows

stream = spark.readStream.table("events").withWatermark("ts", "1 minute")
counts = stream.groupBy(F.window("ts", "1 minute"), "kind").agg(F.sum("n").alias("n"))
query = counts.writeStream.outputMode("update").format("memory").queryName("live_counts").option("startingOffsets", "earliest").start()
query.processAllAvailable()
live = spark.sql("select kind, n from live_counts order by kind").collect()
assert [(r.kind, r.n) for r in live] == [("a", 3), ("b", 3)], live
progress = query.lastProgress
assert progress["numInputRows"] == 3, progress
query.stop()
assert not query.isActive

try:
    spark.sql("select nope from events").collect()
    raise SystemExit("an unknown column went through")
except Exception as e:
    assert "UNRESOLVED_COLUMN" in str(e), e
print("ok")
