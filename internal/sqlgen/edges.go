package sqlgen

// edgeType is a type of Spark with values at the edges of what it holds, as SQL.
type edgeType struct {
	name   string // SQL type
	values []string
}

// edgeTypes are the types over which functions, operators and casts are held against Spark.
var edgeTypes = []edgeType{
	{"BOOLEAN", []string{"NULL", "true", "false"}},
	{"TINYINT", []string{"NULL", "0Y", "1Y", "-1Y", "127Y", "-128Y"}},
	{"SMALLINT", []string{"NULL", "0S", "3S", "-7S", "32767S", "-32768S"}},
	{"INT", []string{"NULL", "0", "1", "-1", "12", "2147483647", "-2147483648"}},
	{"BIGINT", []string{"NULL", "0L", "2L", "-13L", "9223372036854775807L", "-9223372036854775808L"}},
	{"FLOAT", []string{"NULL", "0F", "1.5F", "-2.5F", "3.4028234E38F", "CAST('NaN' AS FLOAT)", "CAST('-Infinity' AS FLOAT)"}},
	{"DOUBLE", []string{"NULL", "0D", "-0.0D", "0.5D", "2.5D", "-123.456D", "1E20D", "4.9E-324D", "DOUBLE('NaN')", "DOUBLE('Infinity')"}},
	{"DECIMAL(10,2)", []string{"NULL", "0.00BD", "1.25BD", "-1.25BD", "99999999.99BD", "12.00BD"}},
	{"DECIMAL(38,18)", []string{"NULL", "0BD", "1.000000000000000001BD", "-99999999999999999999.999999999999999999BD"}},
	{"STRING", []string{"NULL", "''", "' '", "'a'", "'aBc'", "'Straße ÄÖ'", "'😀x'", "'12'", "' 12 '", "'-1.5e1'", "'true'", "'1999-12-31'", "'2024-02-29 12:34:56.789'", "'1 day'", "'NaN'", "'a,b,,c'", "'hello world'"}},
	{"BINARY", []string{"NULL", "X''", "X'00FF'", "X'616263'", "X'C3A4'"}},
	{"DATE", []string{"NULL", "DATE'0001-01-01'", "DATE'1582-10-04'", "DATE'1969-12-31'", "DATE'2024-02-29'", "DATE'9999-12-31'"}},
	{"TIMESTAMP", []string{"NULL", "TIMESTAMP'0001-01-01 00:00:00'", "TIMESTAMP'1969-12-31 23:59:59.999999'", "TIMESTAMP'2024-02-29 12:34:56.789'", "TIMESTAMP'2024-03-31 01:30:00'", "TIMESTAMP'9999-12-31 23:59:59'"}},
	{"TIMESTAMP_NTZ", []string{"NULL", "TIMESTAMP_NTZ'1969-12-31 23:59:59.999999'", "TIMESTAMP_NTZ'2024-03-31 02:30:00'"}},
	{"INTERVAL YEAR TO MONTH", []string{"NULL", "INTERVAL '0-0' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '-10-11' YEAR TO MONTH"}},
	{"INTERVAL DAY TO SECOND", []string{"NULL", "INTERVAL '0 00:00:00' DAY TO SECOND", "INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL '-10 23:59:59.999999' DAY TO SECOND"}},
	{"ARRAY<INT>", []string{"NULL", "CAST(array() AS ARRAY<INT>)", "array(1)", "array(3, 1, NULL, 2, 1)"}},
	{"ARRAY<STRING>", []string{"NULL", "array('b', 'a')", "array('x', NULL, '')"}},
	{"MAP<STRING, INT>", []string{"NULL", "map('a', 1)", "map('k', NULL, 'b', 2)"}},
	{"STRUCT<a: INT, b: STRING>", []string{"NULL", "named_struct('a', 1, 'b', 'x')", "named_struct('a', CAST(NULL AS INT), 'b', '')"}},
}
