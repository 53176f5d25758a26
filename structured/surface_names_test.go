package structured_test

const surfaceIntro = `# DataFrames: Go and PySpark

Every method of PySpark 4.1's SQL classes, beside the Go API (package ` + "`structured`" + `) and beside what an unmodified PySpark client gets from this
server over Spark Connect. This page is made, and a test fails when it is not what the code has.

- **Go**: the method of the same use. ` + "`Call(\"f\", …)`" + ` applies any function of [sql.md](../sql.md) by name. Arguments are Go's: a method that can fail
  takes a ` + "`context.Context`" + ` and returns an error, optional arguments are option structs or left out.
- **PySpark on this server** is measured: ` + "`testdata/pyspark/methods.py`" + ` runs the examples of PySpark's own documentation against a node, and compares what
  they print. "Same" means that all of them print what they print on Spark.

Rows as Go structs: ` + "`CollectAs[T]`, `AllAs[T]` and `As[T]`" + ` fill members by the names of columns, or by a tag ` + "`col:\"name\"`" + `.
`

// goNames are Go's names where they are not PySpark's with a capital, with what is different after a bar.
var goNames = map[string]string{
	"SparkSession.sql": "Session.SQL", "SparkSession.stop": "Session.Close", "SparkSession.tvf": "Session.TableFunc|the function by its name",
	"SparkSession.interruptOperation": "Session.InterruptTag|by tag or all", "SparkSession.builder": "NewSession|streamflow.Local and Connect open one",
	"SparkSession.createDataFrame": "Session.CreateDataFrame|rows of Go values and a schema in DDL",
	"SparkSession.version":         "Session.Backend|Version of the connect client",
	"RuntimeConfig.get":            "Conf.Get", "RuntimeConfig.set": "Conf.Set", "RuntimeConfig.unset": "Conf.Unset", "RuntimeConfig.getAll": "Conf.All", "RuntimeConfig.isModifiable": "Conf.Modifiable",
	"DataFrame.approxQuantile": "DataFrame.ApproxQuantile", "DataFrame.columns": "DataFrame.Columns", "DataFrame.dtypes": "DataFrame.DTypes",
	"DataFrame.dropna": "DataFrame.DropNA", "DataFrame.fillna": "DataFrame.FillNA", "DataFrame.drop_duplicates": "DataFrame.DropDuplicates", "DataFrame.groupby": "DataFrame.GroupBy",
	"DataFrame.na": "DataFrame.FillNA|its functions are methods of DataFrame", "DataFrame.stat": "DataFrame.Corr|its functions are methods of DataFrame",
	"DataFrame.sparkSession": "DataFrame.Session", "DataFrame.toLocalIterator": "DataFrame.All", "DataFrame.foreach": "DataFrame.Foreach|in the program, not on the node",
	"DataFrame.foreachPartition": "DataFrame.Rows|batches instead of partitions", "DataFrame.coalesce": "DataFrame.Repartition|rows are moved",
	"DataFrame.checkpoint": "DataFrame.LocalCheckpoint|the rows are held by the program", "DataFrame.localCheckpoint": "DataFrame.LocalCheckpoint|the rows are held by the program",
	"DataFrame.registerTempTable": "DataFrame.CreateOrReplaceTempView", "DataFrame.where": "DataFrame.Where|a text; Filter takes a Column",
	"DataFrame.withColumnsRenamed": "DataFrame.WithColumnsRenamed|pairs instead of a map", "DataFrame.sample": "DataFrame.Sample|SampleWithReplacement draws rows several times",
	"DataFrame.toPandas": "DataFrame.ToArrow|an Arrow stream", "DataFrame.show": "DataFrame.Show|ShowString has vertical",
	"DataFrameNaFunctions.fill": "DataFrame.FillNA", "DataFrameNaFunctions.drop": "DataFrame.DropNA|DropNARows has the least number of values",
	"Column.asc_nulls_first": "Column.AscNullsFirst", "Column.asc_nulls_last": "Column.AscNullsLast", "Column.desc_nulls_first": "Column.DescNullsFirst",
	"Column.desc_nulls_last": "Column.DescNullsLast", "Column.astype": "Column.Cast", "Column.bitwiseAND": "Column.BitAnd", "Column.bitwiseOR": "Column.BitOr",
	"Column.bitwiseXOR": "Column.BitXor", "Column.endswith": "Column.EndsWith", "Column.startswith": "Column.StartsWith", "Column.ilike": "Column.ILike",
	"Column.rlike": "Column.RLike", "Column.isin": "Column.In", "Column.try_cast": "Column.TryCast",
	"GroupedData.mean": "GroupedData.Avg", "GroupedData.transformWithState": "DataFrame.KeyBy|processes in Go (processes.md)",
	"DataFrameReader.csv": "DataFrameReader.CSV", "DataFrameReader.json": "DataFrameReader.JSON", "DataFrameReader.options": "DataFrameReader.Option|one at a time",
	"DataFrameWriter.csv": "DataFrameWriter.CSV", "DataFrameWriter.json": "DataFrameWriter.JSON", "DataFrameWriter.options": "DataFrameWriter.Option|one at a time",
	"DataFrame.writeTo": "DataFrame.Write|SaveAsTable and InsertInto", "SparkSession.dataSource": "Session.Read",
	"Window.orderBy": "WindowOrderBy", "Window.partitionBy": "PartitionBy",
}

// Reasons that several share.
const (
	python  = "functions in Python do not run on the node"
	client  = "a matter of the Python client"
	bySQL   = "by SQL: Session.SQL"
	formats = "no such source or sink"
)

// absentInGo is why Go has no such method, or none of a class.
var absentInGo = map[string]string{
	"SparkSession.builder": client, "UDFRegistration": "Go functions are registered by name (functions.md)", "Catalog": bySQL + ", SHOW and DESCRIBE", "DataFrameWriterV2": bySQL + ", or DataFrame.Write",
	"MergeIntoWriter": bySQL + ", MERGE INTO", "TableValuedFunction": "by name: Session.TableFunc",
	"SparkSession.active": client, "SparkSession.getActiveSession": client, "SparkSession.client": client, "SparkSession.newSession": client, "SparkSession.sparkContext": "there is no Spark behind it",
	"SparkSession.addArtifact": "modules are uploaded by sfsubmit --wasm", "SparkSession.addArtifacts": "modules are uploaded by sfsubmit --wasm", "SparkSession.copyFromLocalToFs": "the node reads its own files",
	"SparkSession.addTag": "tags are part of ExecOptions", "SparkSession.removeTag": "tags are part of ExecOptions", "SparkSession.getTags": "tags are part of ExecOptions", "SparkSession.clearTags": "tags are part of ExecOptions",
	"SparkSession.registerProgressHandler": "progress is part of ExecOptions", "SparkSession.removeProgressHandler": "progress is part of ExecOptions", "SparkSession.clearProgressHandlers": "progress is part of ExecOptions",
	"SparkSession.profile": python, "SparkSession.udf": "Go functions are registered by name (functions.md)", "SparkSession.udtf": "Go functions are registered by name (functions.md)", "SparkSession.catalog": bySQL,
	"DataFrame.asTable": python, "DataFrame.mapInArrow": python, "DataFrame.mapInPandas": python, "DataFrame.pandas_api": python, "DataFrame.plot": python, "DataFrame.rdd": "package rdd computes over Go values", "DataFrame.toJSON": "by SelectExpr(\"to_json(struct(*))\")",
	"DataFrame.createGlobalTempView": bySQL + ", CREATE VIEW", "DataFrame.createOrReplaceGlobalTempView": bySQL + ", CREATE VIEW", "DataFrame.executionInfo": "counters are part of Rows",
	"DataFrame.exists": bySQL, "DataFrame.scalar": bySQL, "DataFrame.mergeInto": bySQL + ", MERGE INTO", "DataFrame.inputFiles": "name the files yourself", "DataFrame.isLocal": "of no use here",
	"DataFrame.metadataColumn": "hidden columns are columns: _partition, _offset", "DataFrame.repartitionById": "no such exchange", "DataFrame.repartitionByRange": "OrderBy parts rows by range",
	"DataFrame.sameSemantics": "compare ExplainString", "DataFrame.semanticHash": "compare ExplainString", "DataFrame.storageLevel": "there is one: memory, then the node's disk", "DataFrame.withMetadata": "columns have no metadata",
	"Column.outer":      "a lateral join's names reach out by themselves",
	"GroupedData.apply": python, "GroupedData.applyInArrow": python, "GroupedData.applyInPandas": python, "GroupedData.applyInPandasWithState": python, "GroupedData.cogroup": python, "GroupedData.transformWithStateInPandas": python,
	"DataFrameReader.jdbc": formats, "DataFrameReader.orc": formats, "DataFrameReader.text": formats, "DataFrameReader.xml": formats,
	"DataFrameWriter.jdbc": formats, "DataFrameWriter.orc": formats, "DataFrameWriter.text": formats, "DataFrameWriter.xml": formats, "DataFrameWriter.bucketBy": "tables have no buckets", "DataFrameWriter.sortBy": "tables have no buckets", "DataFrameWriter.clusterBy": "tables are partitioned by PartitionBy",
}

// differentBecause explains failures by what they say.
var differentBecause = map[string]string{
	"COMMON_INLINE_USER_DEFINED": python, "MAP_PARTITIONS": python, "GROUP_MAP": python, "REGISTER_FUNCTION": python, "UNRESOLVED_ROUTINE": "the engine has no such function",
	"DATA_SOURCE_NOT_FOUND": formats, "BUCKETING": "tables have no buckets",
}

// different explains what the examples alone do not tell.
var different = map[string]string{
	"DataFrame.cache": "explain prints this engine's plans", "DataFrame.persist": "explain prints this engine's plans", "DataFrame.explain": "explain prints this engine's plans", "DataFrame.hint": "explain prints this engine's plans",
	"DataFrame.exceptAll": "rows come in another order", "DataFrame.join": "rows come in another order", "DataFrame.lateralJoin": "rows come in another order, and no star over a member",
	"DataFrame.randomSplit": "other rows for the same seed", "DataFrame.sampleBy": "other rows for the same seed", "DataFrameStatFunctions.sampleBy": "other rows for the same seed",
	"DataFrame.sameSemantics": "plans are compared as they were sent, names included", "DataFrame.withMetadata": "columns have no metadata",
	"DataFrame.observe": "not of a stream", "DataFrame.repartitionByRange": "by hash: OrderBy parts rows by range", "DataFrame.plot": client + ": plotly is not installed", "DataFrame.pandas_api": client + ": its pandas is another release",
	"functions.rand": "other numbers for the same seed", "functions.randn": "other numbers for the same seed", "functions.randstr": "other text for the same seed", "functions.uniform": "other numbers for the same seed", "functions.shuffle": "another order for the same seed",
	"functions.approx_count_distinct": "another estimate", "functions.percentile": "another sample of random numbers", "functions.percentile_approx": "another sample of random numbers", "functions.approx_percentile": "another sample of random numbers",
	"functions.exp": "the last digit of floating-point numbers", "functions.cosh": "the last digit of floating-point numbers", "functions.cot": "the last digit of floating-point numbers", "functions.tan": "the last digit of floating-point numbers", "functions.log2": "the last digit of floating-point numbers",
	"Catalog.listTables": "temporary views of other examples are listed", "DataFrame.createTempView": "a view of another example is in the way",
	"DataFrameReader.table": "the table of an example is not found", "SparkSession.createDataFrame": client + ": the example needs a global name",
}

// notByName are functions that no call by name reaches, beside those that were seen to be missing when PySpark was tried.
var notByName = map[string]bool{
	"arrow_udf":                      true,
	"arrow_udtf":                     true,
	"bucket":                         true,
	"call_udf":                       true,
	"collate":                        true,
	"days":                           true,
	"hll_sketch_estimate":            true,
	"hll_union":                      true,
	"hll_union_agg":                  true,
	"hours":                          true,
	"input_file_block_length":        true,
	"input_file_block_start":         true,
	"input_file_name":                true,
	"kll_merge_agg_bigint":           true,
	"kll_merge_agg_double":           true,
	"kll_merge_agg_float":            true,
	"kll_sketch_get_n_bigint":        true,
	"kll_sketch_get_n_double":        true,
	"kll_sketch_get_n_float":         true,
	"kll_sketch_get_quantile_bigint": true,
	"kll_sketch_get_quantile_double": true,
	"kll_sketch_get_quantile_float":  true,
	"kll_sketch_get_rank_bigint":     true,
	"kll_sketch_get_rank_double":     true,
	"kll_sketch_get_rank_float":      true,
	"kll_sketch_merge_bigint":        true,
	"kll_sketch_merge_double":        true,
	"kll_sketch_merge_float":         true,
	"kll_sketch_to_string_bigint":    true,
	"kll_sketch_to_string_double":    true,
	"kll_sketch_to_string_float":     true,
	"listagg_distinct":               true,
	"months":                         true,
	"pandas_udf":                     true,
	"st_asbinary":                    true,
	"st_setsrid":                     true,
	"st_srid":                        true,
	"string_agg_distinct":            true,
	"theta_difference":               true,
	"theta_intersection":             true,
	"theta_intersection_agg":         true,
	"theta_sketch_estimate":          true,
	"theta_union":                    true,
	"theta_union_agg":                true,
	"time_diff":                      true,
	"time_trunc":                     true,
	"udf":                            true,
	"udtf":                           true,
	"years":                          true,
}

// functionNames are what stands for functions of PySpark that are no functions of SQL.
var functionNames = map[string]string{"column": "Col", "broadcast": "DataFrame.Hint", "call_function": "Call", "asc": "Column.Asc", "asc_nulls_first": "Column.AscNullsFirst",
	"asc_nulls_last": "Column.AscNullsLast", "desc": "Column.Desc", "desc_nulls_first": "Column.DescNullsFirst", "desc_nulls_last": "Column.DescNullsLast"}
