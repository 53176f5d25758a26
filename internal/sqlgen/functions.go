package sqlgen

import (
	"fmt"
	"strings"
)

// template is a function in both dialects over columns p, q of edge values; args are their kinds, a letter each:
// i INT  l BIGINT  x DOUBLE  s STRING  d DATE  t TIMESTAMP  b BOOLEAN  n DECIMAL(10,2)  A ARRAY<INT>  T ARRAY<STRING>; z is a
// number that is not 0, k a small one from 0, u a double from -1 to 1, P a double above 0.
type template struct{ args, spark, duck string }

var edges = map[byte][]string{
	'i': {"NULL", "0", "1", "-1", "7", "-13", "2147483646", "-2147483647"},
	'l': {"NULL", "0", "1", "-1", "1000000007", "9223372036854775806", "-9223372036854775807"},
	'z': {"NULL", "1", "-1", "7", "-13", "1000"},
	'k': {"NULL", "0", "1", "2", "5", "12"},
	'x': {"NULL", "0", "-0.5", "0.5", "1.5", "2.5", "-2.5", "1e10", "-123.456", "1e-3"},
	'u': {"NULL", "0", "-1", "1", "0.5", "-0.25"},
	'P': {"NULL", "1e-3", "0.5", "1", "2.718281828", "100", "1e12"},
	's': {"NULL", "''", "'a'", "'aBc'", "'  x '", "'äöü€'", "'hello world'", "'a,b,,c'", "'x1y22'", "'100'"},
	'd': {"NULL", "DATE '1970-01-01'", "DATE '2000-02-29'", "DATE '2024-01-31'", "DATE '1999-12-31'", "DATE '2023-01-01'", "DATE '1900-03-01'"},
	't': {"NULL", "TIMESTAMP '1970-01-01 00:00:00'", "TIMESTAMP '2024-02-29 23:59:59.999999'", "TIMESTAMP '2000-01-01 12:34:56.7'", "TIMESTAMP '1969-12-31 23:00:00'"},
	'b': {"NULL", "true", "false"},
	'n': {"NULL", "0", "1.25", "-1.25", "99.99", "-0.05"},
	'A': {"NULL", "[]", "[1]", "[3, 1, 2]", "[1, 1, NULL]", "[NULL]", "[5, -5, 5]"},
	'T': {"NULL", "[]", "['a']", "['b', 'a']", "['x', NULL, 'x']"},
}

var sparkTypes = map[byte]string{'i': "INT", 'l': "BIGINT", 'z': "INT", 'k': "INT", 'x': "DOUBLE", 'u': "DOUBLE", 'P': "DOUBLE", 's': "STRING", 'd': "DATE", 't': "TIMESTAMP", 'b': "BOOLEAN", 'n': "DECIMAL(10,2)", 'A': "ARRAY<INT>", 'T': "ARRAY<STRING>"}
var duckTypes = map[byte]string{'i': "INTEGER", 'l': "BIGINT", 'z': "INTEGER", 'k': "INTEGER", 'x': "DOUBLE", 'u': "DOUBLE", 'P': "DOUBLE", 's': "VARCHAR", 'd': "DATE", 't': "TIMESTAMP", 'b': "BOOLEAN", 'n': "DECIMAL(10,2)", 'A': "INTEGER[]", 'T': "VARCHAR[]"}

// templates are the functions that both have; %[1]s and %[2]s are the columns.
var templates = []template{
	{"i", "abs(%[1]s)", "abs(%[1]s)"}, {"x", "abs(%[1]s)", "abs(%[1]s)"}, {"n", "abs(%[1]s)", "abs(%[1]s)"}, {"x", "signum(%[1]s)", "sign(%[1]s)"}, {"i", "-%[1]s", "-%[1]s"},
	{"l", "bit_count(%[1]s)", "bit_count(%[1]s)"}, {"k", "factorial(%[1]s)", "factorial(%[1]s)"}, {"ii", "greatest(%[1]s, %[2]s)", "greatest(%[1]s, %[2]s)"}, {"ss", "least(%[1]s, %[2]s)", "least(%[1]s, %[2]s)"},
	{"ii", "coalesce(%[1]s, %[2]s)", "coalesce(%[1]s, %[2]s)"}, {"ii", "nullif(%[1]s, %[2]s)", "nullif(%[1]s, %[2]s)"}, {"ss", "ifnull(%[1]s, %[2]s)", "ifnull(%[1]s, %[2]s)"}, {"bi", "if(%[1]s, %[2]s, -5)", "CASE WHEN %[1]s THEN %[2]s ELSE -5 END"},
	{"lk", "shiftleft(%[1]s %% 1000000, %[2]s)", "(%[1]s %% 1000000) * (1 << %[2]s)"}, {"lk", "shiftright(%[1]s, %[2]s)", "%[1]s >> %[2]s"}, {"ll", "%[1]s & %[2]s", "%[1]s & %[2]s"}, {"ll", "%[1]s | %[2]s", "%[1]s | %[2]s"}, {"ll", "%[1]s ^ %[2]s", "xor(%[1]s, %[2]s)"}, {"l", "~%[1]s", "~%[1]s"},
	{"iz", "%[1]s %% %[2]s", "%[1]s %% %[2]s"}, {"iz", "%[1]s div %[2]s", "%[1]s // %[2]s"}, {"iz", "%[1]s / %[2]s", "%[1]s / %[2]s"}, {"iz", "pmod(%[1]s, abs(%[2]s))", "((%[1]s %% abs(%[2]s)) + abs(%[2]s)) %% abs(%[2]s)"}, {"kk", "%[1]s * %[2]s - %[2]s", "%[1]s * %[2]s - %[2]s"},
	{"nn", "%[1]s + %[2]s", "%[1]s + %[2]s"}, {"nn", "%[1]s - %[2]s", "%[1]s - %[2]s"}, {"nn", "%[1]s * %[2]s", "%[1]s * %[2]s"}, {"n", "round(%[1]s, 1)", "round(%[1]s, 1)"}, {"n", "floor(%[1]s)", "floor(%[1]s)"}, {"n", "ceil(%[1]s)", "ceil(%[1]s)"},
	{"x", "floor(%[1]s)", "floor(%[1]s)"}, {"x", "ceil(%[1]s)", "ceil(%[1]s)"}, {"x", "round(%[1]s)", "round(%[1]s)"}, {"x", "round(%[1]s, 1)", "round(%[1]s, 1)"}, {"x", "bround(%[1]s)", "round_even(%[1]s, 0)"}, {"k", "round(%[1]s, -1)", "round(%[1]s, -1)"}, {"x", "sqrt(abs(%[1]s))", "sqrt(abs(%[1]s))"}, {"x", "cbrt(%[1]s)", "cbrt(%[1]s)"},
	{"u", "exp(%[1]s)", "exp(%[1]s)"}, {"P", "ln(%[1]s)", "ln(%[1]s)"}, {"P", "log10(%[1]s)", "log10(%[1]s)"}, {"P", "log2(%[1]s)", "log2(%[1]s)"}, {"P", "log(3, %[1]s)", "log(3, %[1]s)"}, {"u", "sin(%[1]s)", "sin(%[1]s)"}, {"u", "cos(%[1]s)", "cos(%[1]s)"}, {"u", "tan(%[1]s)", "tan(%[1]s)"}, {"u", "asin(%[1]s)", "asin(%[1]s)"}, {"u", "acos(%[1]s)", "acos(%[1]s)"},
	{"x", "atan(%[1]s)", "atan(%[1]s)"}, {"xx", "atan2(%[1]s, %[2]s)", "atan2(%[1]s, %[2]s)"}, {"u", "sinh(%[1]s)", "sinh(%[1]s)"}, {"u", "cosh(%[1]s)", "cosh(%[1]s)"}, {"u", "tanh(%[1]s)", "tanh(%[1]s)"}, {"x", "asinh(%[1]s)", "asinh(%[1]s)"}, {"x", "degrees(%[1]s)", "degrees(%[1]s)"}, {"x", "radians(%[1]s)", "radians(%[1]s)"},
	{"Pu", "power(%[1]s, %[2]s)", "power(%[1]s, %[2]s)"}, {"xx", "hypot(%[1]s, %[2]s)", "sqrt(%[1]s * %[1]s + %[2]s * %[2]s)"}, {"x", "isnan(%[1]s) AND true", "isnan(%[1]s)"}, {"x", "%[1]s IS NULL", "%[1]s IS NULL"}, {"l", "hex(%[1]s)", "hex(%[1]s)"}, {"l", "bin(%[1]s)", "CASE WHEN %[1]s = 0 THEN '0' ELSE ltrim(bin(%[1]s), '0') END"},
	{"s", "length(%[1]s)", "length(%[1]s)"}, {"s", "octet_length(%[1]s)", "strlen(%[1]s)"}, {"s", "bit_length(%[1]s)", "bit_length(%[1]s)"}, {"s", "upper(%[1]s)", "upper(%[1]s)"}, {"s", "lower(%[1]s)", "lower(%[1]s)"}, {"s", "trim(%[1]s)", "trim(%[1]s)"}, {"s", "ltrim(%[1]s)", "ltrim(%[1]s)"}, {"s", "rtrim(%[1]s)", "rtrim(%[1]s)"}, {"s", "reverse(%[1]s)", "reverse(%[1]s)"},
	{"ss", "concat(%[1]s, %[2]s)", "%[1]s || %[2]s"}, {"ss", "concat_ws('-', %[1]s, %[2]s)", "concat_ws('-', %[1]s, %[2]s)"}, {"sk", "repeat(%[1]s, %[2]s)", "repeat(%[1]s, %[2]s)"}, {"ss", "replace(%[1]s, %[2]s, 'Z')", "replace(%[1]s, %[2]s, 'Z')"}, {"sk", "substr(%[1]s, %[2]s + 1)", "substr(%[1]s, %[2]s + 1)"}, {"sk", "substr(%[1]s, 2, %[2]s)", "substr(%[1]s, 2, %[2]s)"}, {"sk", "substr(%[1]s, -2, %[2]s)", "substr(%[1]s, -2, %[2]s)"},
	{"sk", "left(%[1]s, %[2]s)", "left(%[1]s, %[2]s)"}, {"sk", "right(%[1]s, %[2]s)", "right(%[1]s, %[2]s)"}, {"sk", "lpad(%[1]s, %[2]s, 'xy')", "lpad(%[1]s, %[2]s, 'xy')"}, {"sk", "rpad(%[1]s, %[2]s, 'xy')", "rpad(%[1]s, %[2]s, 'xy')"}, {"ss", "instr(%[1]s, %[2]s)", "strpos(%[1]s, %[2]s)"}, {"ss", "locate(%[2]s, %[1]s)", "strpos(%[1]s, %[2]s)"}, {"ss", "startswith(%[1]s, %[2]s)", "starts_with(%[1]s, %[2]s)"}, {"ss", "endswith(%[1]s, %[2]s)", "suffix(%[1]s, %[2]s)"}, {"ss", "contains(%[1]s, %[2]s)", "contains(%[1]s, %[2]s)"},
	{"s", "ascii(%[1]s)", "ascii(%[1]s)"}, {"k", "char(%[1]s + 64)", "chr(%[1]s + 64)"}, {"s", "md5(%[1]s)", "md5(%[1]s)"}, {"s", "sha1(%[1]s)", "sha1(%[1]s)"}, {"s", "sha2(%[1]s, 256)", "sha256(%[1]s)"}, {"ss", "levenshtein(%[1]s, %[2]s)", "levenshtein(%[1]s, %[2]s)"}, {"s", "translate(%[1]s, 'abl', 'xy')", "translate(%[1]s, 'abl', 'xy')"},
	{"s", "split(%[1]s, ',')", "string_split(%[1]s, ',')"}, {"sk", "split_part(%[1]s, ',', %[2]s + 1)", "split_part(%[1]s, ',', %[2]s + 1)"}, {"s", "base64(%[1]s)", "base64(encode(%[1]s))"}, {"s", "hex(%[1]s)", "hex(%[1]s)"}, {"s", "cast(unhex(hex(%[1]s)) as string)", "%[1]s"}, {"s", "url_encode(%[1]s)", "replace(url_encode(%[1]s), '%%20', '+')"},
	{"s", "regexp_replace(%[1]s, '[a-z]', '#')", "regexp_replace(%[1]s, '[a-z]', '#', 'g')"}, {"s", "regexp_extract(%[1]s, '([a-z]+)([0-9]*)', 2)", "regexp_extract(%[1]s, '([a-z]+)([0-9]*)', 2)"}, {"s", "regexp_like(%[1]s, '^[a-z]')", "regexp_matches(%[1]s, '^[a-z]')"}, {"s", "%[1]s like 'a%%'", "%[1]s like 'a%%'"}, {"s", "%[1]s ilike 'A_C'", "%[1]s ilike 'A_C'"}, {"s", "regexp_count(%[1]s, '[0-9]')", "len(regexp_extract_all(%[1]s, '[0-9]'))"}, {"s", "regexp_extract_all(%[1]s, '[a-z]', 0)", "regexp_extract_all(%[1]s, '[a-z]')"},
	{"d", "year(%[1]s)", "year(%[1]s)"}, {"d", "month(%[1]s)", "month(%[1]s)"}, {"d", "day(%[1]s)", "day(%[1]s)"}, {"d", "quarter(%[1]s)", "quarter(%[1]s)"}, {"d", "dayofweek(%[1]s)", "dayofweek(%[1]s) + 1"}, {"d", "weekday(%[1]s)", "isodow(%[1]s) - 1"}, {"d", "dayofyear(%[1]s)", "dayofyear(%[1]s)"}, {"d", "weekofyear(%[1]s)", "week(%[1]s)"}, {"d", "last_day(%[1]s)", "last_day(%[1]s)"}, {"d", "dayname(%[1]s)", "left(dayname(%[1]s), 3)"}, {"d", "monthname(%[1]s)", "left(monthname(%[1]s), 3)"},
	{"dk", "add_months(%[1]s, %[2]s)", "CAST(%[1]s + %[2]s * INTERVAL 1 MONTH AS DATE)"}, {"dk", "add_months(%[1]s, -%[2]s)", "CAST(%[1]s - %[2]s * INTERVAL 1 MONTH AS DATE)"}, {"dd", "datediff(%[1]s, %[2]s)", "%[1]s - %[2]s"}, {"dk", "date_add(%[1]s, %[2]s)", "%[1]s + %[2]s"}, {"dk", "date_sub(%[1]s, %[2]s)", "%[1]s - %[2]s"}, {"d", "trunc(%[1]s, 'YEAR')", "CAST(date_trunc('year', %[1]s) AS DATE)"}, {"d", "trunc(%[1]s, 'QUARTER')", "CAST(date_trunc('quarter', %[1]s) AS DATE)"}, {"d", "trunc(%[1]s, 'WEEK')", "CAST(date_trunc('week', %[1]s) AS DATE)"},
	{"d", "unix_date(%[1]s)", "%[1]s - DATE '1970-01-01'"}, {"kk", "make_date(2000 + %[1]s, %[2]s + 1 - %[2]s div 12, 28)", "make_date(2000 + %[1]s, %[2]s + 1 - %[2]s // 12, 28)"}, {"d", "cast(%[1]s as string)", "cast(%[1]s as varchar)"}, {"d", "next_day(%[1]s, 'MO')", "CAST(date_trunc('week', %[1]s) AS DATE) + 7"}, {"d", "date_format(%[1]s, 'yyyy-MM-dd')", "strftime(%[1]s, '%%Y-%%m-%%d')"}, {"d", "extract(YEAR FROM %[1]s)", "extract(YEAR FROM %[1]s)"},
	{"t", "hour(%[1]s)", "hour(%[1]s)"}, {"t", "minute(%[1]s)", "minute(%[1]s)"}, {"t", "second(%[1]s)", "second(%[1]s)"}, {"t", "date_trunc('HOUR', %[1]s)", "date_trunc('hour', %[1]s)"}, {"t", "date_trunc('MONTH', %[1]s)", "CAST(date_trunc('month', %[1]s) AS TIMESTAMP)"}, {"t", "unix_micros(%[1]s)", "epoch_us(%[1]s)"}, {"t", "unix_millis(%[1]s)", "CAST(floor(epoch_us(%[1]s) / 1000) AS BIGINT)"}, {"t", "cast(%[1]s as date)", "cast(%[1]s as date)"}, {"t", "%[1]s + INTERVAL 90 MINUTES", "%[1]s + INTERVAL 90 MINUTES"}, {"t", "%[1]s + INTERVAL 1 MONTH", "%[1]s + INTERVAL 1 MONTH"}, {"tt", "timestampdiff(HOUR, %[1]s, %[2]s)", "CAST(trunc((epoch_us(%[2]s) - epoch_us(%[1]s)) / 3600000000) AS BIGINT)"},
	{"A", "size(%[1]s)", "len(%[1]s)"}, {"Ai", "array_contains(%[1]s, %[2]s)", "list_contains(%[1]s, %[2]s)"}, {"Ak", "array_position(%[1]s, %[2]s)", "CASE WHEN %[1]s IS NULL OR %[2]s IS NULL THEN NULL ELSE coalesce(list_position(%[1]s, %[2]s), 0) END"}, {"A", "array_max(%[1]s)", "list_max(%[1]s)"}, {"A", "array_min(%[1]s)", "list_min(%[1]s)"}, {"A", "array_size(array_distinct(array_compact(%[1]s)))", "len(list_distinct(%[1]s))"}, {"A", "sort_array(%[1]s)", "list_sort(%[1]s, 'ASC', 'NULLS FIRST')"}, {"A", "sort_array(%[1]s, false)", "list_sort(%[1]s, 'DESC', 'NULLS LAST')"}, {"A", "array_sort(%[1]s)", "list_sort(%[1]s, 'ASC', 'NULLS LAST')"}, {"A", "reverse(%[1]s)", "list_reverse(%[1]s)"}, {"A", "slice(%[1]s, 1, 2)", "list_slice(%[1]s, 1, 2)"}, {"AA", "concat(%[1]s, %[2]s)", "CASE WHEN %[1]s IS NULL OR %[2]s IS NULL THEN NULL ELSE list_concat(%[1]s, %[2]s) END"}, {"A", "flatten(array(%[1]s, %[1]s))", "CASE WHEN %[1]s IS NULL THEN NULL ELSE flatten([%[1]s, %[1]s]) END"},
	{"Ai", "array_append(%[1]s, %[2]s)", "CASE WHEN %[1]s IS NULL THEN NULL ELSE list_append(%[1]s, %[2]s) END"}, {"Ai", "array_prepend(%[1]s, %[2]s)", "CASE WHEN %[1]s IS NULL THEN NULL ELSE list_prepend(%[2]s, %[1]s) END"}, {"Ak", "try_element_at(%[1]s, %[2]s + 1)", "list_extract(%[1]s, %[2]s + 1)"}, {"A", "transform(%[1]s, x -> x + 1)", "list_transform(%[1]s, lambda x: x + 1)"}, {"A", "filter(%[1]s, x -> x > 1)", "list_filter(%[1]s, lambda x: x > 1)"}, {"A", "aggregate(%[1]s, 0, (s, x) -> s + coalesce(x, 0))", "CASE WHEN %[1]s IS NULL THEN NULL ELSE coalesce(list_sum(%[1]s), 0) END"}, {"T", "array_join(%[1]s, '-')", "CASE WHEN %[1]s IS NULL THEN NULL ELSE array_to_string(%[1]s, '-') END"}, {"k", "sequence(1, %[1]s + 1)", "generate_series(1, %[1]s + 1)"}, {"A", "array_remove(%[1]s, 1)", "list_filter(%[1]s, lambda x: x IS DISTINCT FROM 1)"},
	{"b", "cast(%[1]s as int)", "cast(%[1]s as int)"}, {"i", "cast(%[1]s as double)", "cast(%[1]s as double)"}, {"i", "cast(%[1]s as string)", "cast(%[1]s as varchar)"}, {"k", "cast(cast(%[1]s as string) as int)", "cast(cast(%[1]s as varchar) as int)"}, {"s", "try_cast(%[1]s as int)", "try_cast(%[1]s as int)"}, {"n", "cast(%[1]s as string)", "cast(%[1]s as varchar)"}, {"n", "cast(%[1]s as double)", "cast(%[1]s as double)"}, {"x", "cast(%[1]s as bigint)", "cast(trunc(%[1]s) as bigint)"}, {"k", "cast(%[1]s as boolean)", "cast(%[1]s as boolean)"}, {"t", "cast(%[1]s as string)", "cast(%[1]s as varchar)"},
	{"bb", "%[1]s AND %[2]s", "%[1]s AND %[2]s"}, {"bb", "%[1]s OR %[2]s", "%[1]s OR %[2]s"}, {"b", "NOT %[1]s", "NOT %[1]s"}, {"ii", "%[1]s <=> %[2]s", "%[1]s IS NOT DISTINCT FROM %[2]s"}, {"ss", "%[1]s < %[2]s", "%[1]s < %[2]s"}, {"dd", "%[1]s >= %[2]s", "%[1]s >= %[2]s"}, {"ss", "%[1]s IN ('a', %[2]s)", "%[1]s IN ('a', %[2]s)"}, {"AA", "%[1]s = %[2]s", "%[1]s = %[2]s"}, {"A", "array_repeat(%[1]s, 2)", "CASE WHEN true THEN [%[1]s, %[1]s] END"},
}

// Functions are queries of each function over all its edge values, a row each.
func Functions() []Pair {
	out := make([]Pair, len(templates))
	for i, t := range templates {
		out[i] = Pair{Name: strings.NewReplacer("%[1]s", "p", "%[2]s", "q", "%%", "%").Replace(t.spark), Spark: t.query(t.spark, sparkTypes, true), Duck: t.query(t.duck, duckTypes, false)}
	}
	return out
}

func (t template) query(format string, types map[byte]string, spark bool) string {
	cast := func(arg byte, v string) string {
		if spark && (arg == 'A' || arg == 'T') {
			v = strings.NewReplacer("[", "array(", "]", ")").Replace(v)
		}
		return fmt.Sprintf("CAST(%s AS %s)", v, types[arg])
	}
	seconds := []string{"0"}
	if len(t.args) > 1 {
		seconds = edges[t.args[1]]
	}
	var rows []string
	for _, p := range edges[t.args[0]] {
		for _, q := range seconds {
			second := q
			if len(t.args) > 1 {
				second = cast(t.args[1], q)
			}
			rows = append(rows, fmt.Sprintf("(%d, %s, %s)", len(rows), cast(t.args[0], p), second))
		}
	}
	f := strings.NewReplacer("%[1]s", "p", "%[2]s", "q", "%%", "%").Replace(format)
	return fmt.Sprintf("SELECT id, %s AS f FROM (VALUES %s) AS v(id, p, q)", f, strings.Join(rows, ", "))
}
