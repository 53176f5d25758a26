package sql

// Form is a line of the reference: a form that Parse takes, what it does, and an example of it.
type Form struct {
	Chapter, Syntax, Doc, Example string
}

// Statements is the reference of statements, from which docs/sql.md is made. Every example is parsed by a test.
var Statements = []Form{
	{"Queries", "[WITH [RECURSIVE] name [(columns)] AS (query), …] SELECT [DISTINCT] list FROM relations [WHERE c] [GROUP BY keys] [HAVING c] [QUALIFY c] [WINDOW w AS (…)] [ORDER BY keys] [LIMIT n] [OFFSET n]", "Rows of a query. `GROUP BY ALL`, `ORDER BY ALL`, `GROUPING SETS`, `ROLLUP` and `CUBE` group and order; `* EXCEPT (a)` leaves columns out.", "SELECT k, sum(v) AS s FROM t WHERE v > 0 GROUP BY ALL HAVING sum(v) > 1 ORDER BY ALL LIMIT 10"},
	{"Queries", "query UNION | INTERSECT | EXCEPT [ALL] [BY NAME] query", "Rows of both, of either, or of the first alone.", "SELECT a FROM t UNION ALL BY NAME SELECT a FROM u"},
	{"Queries", "VALUES (a, b), …", "Rows.", "VALUES (1, 'a'), (2, 'b')"},
	{"Queries", "FROM relation |> operator |> …", "A query in the order in which it runs: `WHERE`, `SELECT`, `EXTEND`, `SET`, `DROP`, `AS`, `AGGREGATE … GROUP BY`, `JOIN`, `ORDER BY`, `LIMIT`, `PIVOT`, set operations.", "FROM t |> WHERE a > 1 |> AGGREGATE count(*) AS n GROUP BY b |> ORDER BY n"},
	{"Relations", "table · STREAM table · format.`path` · (query) · VALUES … · function(…)", "What may stand in `FROM`, each with an alias.", "SELECT * FROM parquet.`/data/x` AS x, range(3) AS r"},
	{"Relations", "a [INNER | LEFT | RIGHT | FULL | SEMI | ANTI | CROSS] JOIN b ON c | USING (columns), NATURAL JOIN", "Joins.", "SELECT * FROM a LEFT JOIN b USING (k) JOIN c ON c.x = b.x"},
	{"Relations", "a [LEFT] ASOF JOIN b MATCH_CONDITION (a.t >= b.t) [ON c]", "Each row with the nearest of the other table in time.", "SELECT * FROM a ASOF JOIN b MATCH_CONDITION (a.t >= b.t) ON a.k = b.k"},
	{"Relations", "a, LATERAL (query) · JOIN LATERAL function(…)", "A relation that reads the columns of those before it.", "SELECT * FROM a, LATERAL (SELECT max(x) FROM b WHERE b.k = a.k)"},
	{"Relations", "LATERAL VIEW [OUTER] function(…) alias AS columns", "Rows of an array or map beside their own row.", "SELECT id, x FROM t LATERAL VIEW explode(list) e AS x"},
	{"Relations", "relation PIVOT (aggregates FOR column IN (values)) · UNPIVOT (value FOR name IN (columns))", "Values as columns, columns as values.", "SELECT * FROM t PIVOT (sum(v) FOR k IN ('a', 'b' AS bb))"},
	{"Relations", "relation TABLESAMPLE (n PERCENT | n ROWS | BUCKET a OUT OF b) [REPEATABLE (seed)]", "A part of the rows.", "SELECT * FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (1)"},
	{"Relations", "relation WATERMARK column DELAY [OF] interval", "The event time of a relation, and how late its rows may come.", "SELECT * FROM t WATERMARK ts DELAY INTERVAL 1 MINUTE"},
	{"Changing rows", "INSERT INTO | OVERWRITE [TABLE] t [(columns)] [BY NAME] query", "Appends rows, or puts them in the place of what is there.", "INSERT INTO t (a, b) VALUES (1, 2)"},
	{"Changing rows", "DELETE FROM t [AS alias] [WHERE condition]", "Removes rows from a table of files.", "DELETE FROM t WHERE a = 1"},
	{"Changing rows", "TRUNCATE TABLE t", "Removes all rows from a table of files.", "TRUNCATE TABLE t"},
	{"Changing rows", "UPDATE t [AS alias] SET column = value | DEFAULT, … [WHERE condition]", "Changes rows of a table of files.", "UPDATE t SET a = a + 1, b = DEFAULT WHERE a < 10"},
	{"Changing rows", "MERGE INTO t USING source ON condition WHEN [NOT] MATCHED [BY SOURCE] [AND condition] THEN UPDATE SET … | DELETE | INSERT …", "Changes a table of files by the rows of another relation. A row that matches several of the source is an error.", "MERGE INTO t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *"},
	{"Tables and views", "CREATE [OR REPLACE] TABLE [IF NOT EXISTS] t [(column type [NOT NULL] [COMMENT '…'], WATERMARK FOR column AS column - interval)] [USING provider] [PARTITIONED BY (columns)] [OPTIONS (…)] [LOCATION '…'] [AS query]", "A topic, or a table of files (`parquet`, `csv`, `json`). Without `USING` it is a topic; without `LOCATION` files lie in the node's directory.", "CREATE TABLE t (a INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic"},
	{"Tables and views", "ALTER TABLE t ADD COLUMN[S] (column type [FIRST | AFTER column], …)", "New columns, null in the rows that there are.", "ALTER TABLE t ADD COLUMN c DOUBLE AFTER a"},
	{"Tables and views", "ALTER TABLE t RENAME COLUMN a TO b · DROP COLUMN[S] [IF EXISTS] (a, …) · ALTER COLUMN a DROP NOT NULL", "Files stay as they are: a column keeps its name in them.", "ALTER TABLE t RENAME COLUMN a TO b"},
	{"Tables and views", "ALTER TABLE t RENAME TO u · SET LOCATION '…' · SET TBLPROPERTIES (…) · UNSET TBLPROPERTIES [IF EXISTS] (…)", "Name, place and properties of a table.", "ALTER TABLE t SET TBLPROPERTIES ('retention.ms' = '1000')"},
	{"Tables and views", "CREATE [OR REPLACE] [TEMPORARY] VIEW v [(columns)] AS query", "A name for a query; a temporary one is the session's.", "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1 AS a"},
	{"Tables and views", "ALTER VIEW v AS query · RENAME TO w", "Another query or name for a view.", "ALTER VIEW v AS SELECT 2 AS a"},
	{"Tables and views", "DROP TABLE | VIEW [IF EXISTS] t", "Dropping a topic's table deletes the topic; dropping a table with a `LOCATION` leaves its files.", "DROP TABLE IF EXISTS t"},
	{"Tables and views", "REFRESH [TABLE] t", "Forgets what is cached of the table; the next query reads it anew.", "REFRESH TABLE t"},
	{"Databases", "CREATE DATABASE | SCHEMA [IF NOT EXISTS] d [COMMENT '…'] [WITH DBPROPERTIES (…)]", "A database; its tables are `d.t`.", "CREATE DATABASE IF NOT EXISTS d"},
	{"Databases", "DROP DATABASE [IF EXISTS] d [RESTRICT | CASCADE]", "With `CASCADE` its tables and views go too.", "DROP DATABASE d CASCADE"},
	{"Databases", "USE [DATABASE] d", "The database in which the session looks for names.", "USE d"},
	{"Functions", "CREATE [OR REPLACE] [TEMPORARY] FUNCTION [IF NOT EXISTS] f (parameter type [DEFAULT value], …) [RETURNS type] RETURN expression", "A function in SQL.", "CREATE FUNCTION f(x INT, y INT DEFAULT 1) RETURNS INT RETURN x + y"},
	{"Functions", "DROP [TEMPORARY] FUNCTION [IF EXISTS] f", "Forgets a function.", "DROP FUNCTION IF EXISTS f"},
	{"Streaming queries", "CREATE STREAMING QUERY q [options] AS INSERT INTO t query", "A query that runs until it is stopped: [guide/streaming.md](guide/streaming.md).", "CREATE STREAMING QUERY q AS INSERT INTO t SELECT * FROM u"},
	{"Streaming queries", "STOP [STREAMING] QUERY q · DROP STREAMING QUERY [IF EXISTS] q", "A stopped query can go on; a dropped one is forgotten, its state too.", "STOP QUERY q"},
	{"Streaming queries", "CREATE OR REPLACE STREAMING QUERY q START FROM SAVEPOINT 's' AS INSERT …", "Another version of a query, which goes on from a savepoint.", "CREATE OR REPLACE STREAMING QUERY q START FROM SAVEPOINT 'q/one' AS INSERT INTO t SELECT * FROM u"},
	{"Streaming queries", "PAUSE QUERY q · RESUME QUERY q · REPLAY QUERY q FROM time TO time INTO t", "Holds a query, lets it go on, runs it again over a part of history.", "PAUSE QUERY q"},
	{"Streaming queries", "CREATE SAVEPOINT s ON QUERY q · DROP SAVEPOINT s ON QUERY q · SHOW SAVEPOINTS [ON QUERY q] · EXPLAIN STREAMING QUERY q", "State and position of a query at one batch, and why it is as fast as it is.", "CREATE SAVEPOINT one ON QUERY q"},
	{"Streaming queries", "CREATE MATERIALIZED VIEW v AS query · DROP MATERIALIZED VIEW [IF EXISTS] v", "A view whose rows a query of its own keeps up to date.", "CREATE MATERIALIZED VIEW v AS SELECT a FROM t"},
	{"Looking around", "SHOW TABLES | TABLE EXTENDED | VIEWS [IN d] [LIKE 'pattern'] · SHOW [USER | SYSTEM | ALL] FUNCTIONS · SHOW DATABASES · SHOW CATALOGS · SHOW CURRENT DATABASE · SHOW QUERIES", "Lists.", "SHOW TABLES IN d LIKE 'a*'"},
	{"Looking around", "SHOW COLUMNS IN t · SHOW CREATE TABLE t · SHOW TBLPROPERTIES t [(key)] · SHOW PARTITIONS t", "What a table is.", "SHOW CREATE TABLE t"},
	{"Looking around", "DESCRIBE [TABLE] [EXTENDED] t · DESCRIBE QUERY query · DESCRIBE FUNCTION f · DESCRIBE DATABASE d · DESCRIBE STREAMING QUERY q", "Columns and more.", "DESCRIBE EXTENDED t"},
	{"Looking around", "EXPLAIN [EXTENDED | FORMATTED | COST | CODEGEN] statement", "The plan; extended shows every stage of planning.", "EXPLAIN FORMATTED SELECT 1"},
	{"Looking around", "ANALYZE TABLE t COMPUTE STATISTICS [NOSCAN | FOR COLUMNS a, b | FOR ALL COLUMNS]", "Counts what the optimizer wants to know.", "ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS"},
	{"Caching", "CACHE [LAZY] TABLE t [[AS] query]", "Keeps the rows of a table or view, or of a query under a name, in memory and, where that is full, on the node's disk. Writing into a table that they come from forgets them until they are read again.", "CACHE TABLE t AS SELECT 1 AS a"},
	{"Caching", "UNCACHE TABLE [IF EXISTS] t · CLEAR CACHE", "Forgets what is kept of a table, or of all.", "UNCACHE TABLE t"},
	{"Settings", "SET [key [= value]] · SET TIME ZONE zone · RESET [key]", "Settings of the session.", "SET TIME ZONE 'Europe/Berlin'"},
}
