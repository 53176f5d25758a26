package tpch

import "github.com/streamflow/streamflow/column"

// The columns of clause 1.4. Decimals have 15 digits, keys 64 bits but those of nations and regions.
var (
	regionSchema = schema("r_regionkey INT, r_name STRING, r_comment STRING")
	nationSchema = schema("n_nationkey INT, n_name STRING, n_regionkey INT, n_comment STRING")

	supplierSchema = schema("s_suppkey BIGINT, s_name STRING, s_address STRING, s_nationkey INT, s_phone STRING, s_acctbal DECIMAL(15,2), s_comment STRING")
	customerSchema = schema("c_custkey BIGINT, c_name STRING, c_address STRING, c_nationkey INT, c_phone STRING, c_acctbal DECIMAL(15,2), " +
		"c_mktsegment STRING, c_comment STRING")
	partSchema = schema("p_partkey BIGINT, p_name STRING, p_mfgr STRING, p_brand STRING, p_type STRING, p_size INT, p_container STRING, " +
		"p_retailprice DECIMAL(15,2), p_comment STRING")
	partsuppSchema = schema("ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INT, ps_supplycost DECIMAL(15,2), ps_comment STRING")
	ordersSchema   = schema("o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus STRING, o_totalprice DECIMAL(15,2), o_orderdate DATE, " +
		"o_orderpriority STRING, o_clerk STRING, o_shippriority INT, o_comment STRING")
	lineitemSchema = schema("l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT, l_quantity DECIMAL(15,2), " +
		"l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag STRING, l_linestatus STRING, " +
		"l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct STRING, l_shipmode STRING, l_comment STRING")
)

// schema reads columns as CREATE TABLE has them; none is ever null.
func schema(ddl string) *column.Schema {
	s, err := column.ParseDDL(ddl)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	for i := range s.Fields {
		s.Fields[i].Nullable = false
	}
	return s
}
