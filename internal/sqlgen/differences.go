package sqlgen

// differences are functions that Spark, and so StreamFlow, answers in another way than DuckDB for some edge values, by the name
// of the pair, and why.
var differences = map[string]string{
	"isnan(p) AND true":    "isnan(NULL) is false",
	"array_contains(p, q)": "an array with a null that does not hold the value gives null",
	"levenshtein(p, q)":    "counts characters; DuckDB counts bytes",
}

// Differs says why Spark's answer to a pair is another than DuckDB's; "" when it is not.
func Differs(name string) string { return differences[name] }
