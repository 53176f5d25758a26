package sqlgen

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// Statement is a query whose answer Spark gives.
type Statement struct {
	Name string // what it is about: cast, a function, an operator …
	SQL  string
	ANSI bool   // spark.sql.ansi.enabled
	Zone string // spark.sql.session.timeZone
}

// Conf are the statement's settings.
func (s Statement) Conf() map[string]string {
	return map[string]string{"spark.sql.ansi.enabled": fmt.Sprint(s.ANSI), "spark.sql.session.timeZone": s.Zone}
}

// zones change to summer time in other ways and stand on both sides of UTC.
var zones = []string{"UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"}

// Statements are casts, operators, functions and conversions over edge values: all pairs of types where that is not too much, else
// n for each part, drawn from seed. scalars and aggregates are usages of functions, such as substr(str, pos[, len]).
func Statements(scalars, aggregates []string, seed uint64, n int) []Statement {
	r := rand.New(rand.NewPCG(seed, 99))
	out := casts(r)
	out = append(out, unary(r, scalars)...)
	out = append(out, many(r, scalars, n)...)
	out = append(out, operators(r, n)...)
	out = append(out, conversions(r, n)...)
	return append(out, grouped(r, aggregates)...)
}

func of1(r *rand.Rand, name, sql string, ansi bool) Statement {
	return Statement{Name: name, SQL: sql, ANSI: ansi, Zone: zones[r.IntN(len(zones))]}
}

// table is a FROM clause with a column v of all values of a type.
func (t edgeType) table() string {
	return "FROM VALUES (" + strings.Join(t.values, "), (") + ") AS t(v)"
}

// casts are those between all pairs of types: with ANSI off over all values; with it on, a cast for some value, and try_cast over all.
func casts(r *rand.Rand) (out []Statement) {
	for _, from := range edgeTypes {
		for _, to := range edgeTypes {
			out = append(out, of1(r, "cast", fmt.Sprintf("SELECT CAST(v AS %s) %s", to.name, from.table()), false),
				of1(r, "try_cast", fmt.Sprintf("SELECT try_cast(v AS %s) %s", to.name, from.table()), true))
			for _, v := range from.values[1:] {
				if r.IntN(3) == 0 {
					out = append(out, of1(r, "cast", fmt.Sprintf("SELECT CAST(%s AS %s)", v, to.name), true))
				}
			}
		}
	}
	return out
}

// arity reads how many arguments a usage names; ok is false for operators and syntax.
var usageForm = regexp.MustCompile(`^([a-z_0-9]+)\((.*)\)$`)

func arity(usage string) (name string, least, most int, ok bool) {
	m := usageForm.FindStringSubmatch(usage)
	if m == nil || strings.ContainsAny(m[2], "->*") || strings.Contains(m[2], " or ") {
		return "", 0, 0, false
	}
	must, may, _ := strings.Cut(m[2], "[")
	count := func(s string) int {
		return len(strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(",[] ", c) }))
	}
	least = count(must)
	return m[1], least, least + count(may), true
}

// unary calls each function that takes one argument with every other type.
func unary(r *rand.Rand, usages []string) (out []Statement) {
	for _, u := range usages {
		name, least, most, ok := arity(u)
		if !ok || Volatile(name) || least > 1 || most < 1 {
			continue
		}
		for _, t := range edgeTypes {
			if grows[name] || r.IntN(2) == 0 {
				continue
			}
			out = append(out, of1(r, name, fmt.Sprintf("SELECT %s(v) %s", name, t.table()), false))
			if v := t.values[r.IntN(len(t.values))]; v != "NULL" {
				out = append(out, of1(r, name, fmt.Sprintf("SELECT %s(%s)", name, v), true))
			}
		}
	}
	return out
}

// likely are types that functions often take, more often than others.
var likely = []string{"INT", "INT", "INT", "STRING", "STRING", "STRING", "DOUBLE", "DATE", "TIMESTAMP", "ARRAY<INT>", "DECIMAL(10,2)", "BINARY", "BIGINT", "MAP<STRING, INT>", "ARRAY<STRING>"}

func draw(r *rand.Rand) edgeType {
	if r.IntN(8) == 0 {
		return edgeTypes[r.IntN(len(edgeTypes))]
	}
	name := likely[r.IntN(len(likely))]
	return edgeTypes[slices.IndexFunc(edgeTypes, func(t edgeType) bool { return t.name == name })]
}

// grows are functions whose result is as large as an argument says: two billion characters tell nothing.
var grows = map[string]bool{"array_repeat": true, "sequence": true, "repeat": true, "space": true, "lpad": true, "rpad": true, "array_insert": true}

// many calls functions that take several arguments with values of random types.
func many(r *rand.Rand, usages []string, n int) (out []Statement) {
	var calls []string
	for _, u := range usages {
		if name, _, most, ok := arity(u); ok && most > 1 && !Volatile(name) && !grows[name] {
			calls = append(calls, u)
		}
	}
	for i := range n {
		name, least, most, _ := arity(calls[i%len(calls)])
		args := make([]string, max(least, 2)+r.IntN(max(1, most-max(least, 2)+1)))
		for a := range args {
			t := draw(r)
			if args[a] = t.values[r.IntN(len(t.values))]; args[a] == "NULL" && r.IntN(2) == 0 {
				args[a] = "CAST(NULL AS " + t.name + ")"
			}
		}
		out = append(out, of1(r, name, fmt.Sprintf("SELECT %s(%s)", name, strings.Join(args, ", ")), r.IntN(3) > 0))
	}
	return out
}

var infix = []string{"+", "-", "*", "/", "%", "div", "=", "<=>", "<", ">=", "!=", "||", "&", "|", "^", "AND", "LIKE", "RLIKE"}

// operators stand between values of all pairs of types: one operator for each pair, and n more.
func operators(r *rand.Rand, n int) (out []Statement) {
	pair := func(a, b edgeType) {
		op := infix[r.IntN(len(infix))]
		out = append(out, of1(r, op, fmt.Sprintf("SELECT %s %s %s", a.values[r.IntN(len(a.values))], op, b.values[r.IntN(len(b.values))]), r.IntN(3) > 0))
	}
	for _, a := range edgeTypes {
		for _, b := range edgeTypes {
			pair(a, b)
		}
	}
	for range n {
		pair(draw(r), draw(r))
	}
	return out
}

var meeting = []struct{ name, format string }{
	{"coalesce", "SELECT coalesce(%s, %s)"}, {"case", "SELECT CASE WHEN true THEN %s ELSE %s END"}, {"in", "SELECT %s IN (%s)"}, {"array", "SELECT array(%s, %s)"},
	{"greatest", "SELECT greatest(%s, %s)"}, {"union", "SELECT %s AS u UNION ALL SELECT %s ORDER BY 1"}, {"if", "SELECT if(false, %s, %s)"}, {"nullif", "SELECT nullif(%s, %s)"},
	{"between", "SELECT %s BETWEEN NULL AND %s"}, {"map", "SELECT map('a', %s, 'b', %s)"}, {"nvl2", "SELECT nvl2(NULL, %s, %s)"}, {"join", "SELECT count(*) FROM (SELECT %s AS x) JOIN (SELECT %s AS y) ON x = y"},
}

// conversions are places where values of two types meet.
func conversions(r *rand.Rand, n int) (out []Statement) {
	meet := func(a, b edgeType) {
		m := meeting[r.IntN(len(meeting))]
		out = append(out, of1(r, m.name, fmt.Sprintf(m.format, a.values[r.IntN(len(a.values))], b.values[r.IntN(len(b.values))]), r.IntN(3) > 0))
	}
	for _, a := range edgeTypes {
		for _, b := range edgeTypes {
			meet(a, b)
		}
	}
	for range n / 2 {
		meet(draw(r), draw(r))
	}
	return out
}

// grouped calls each aggregate of one argument over each type: of all rows, of no row, and over a window.
func grouped(r *rand.Rand, usages []string) (out []Statement) {
	for _, u := range usages {
		name, least, most, ok := arity(u)
		if !ok || Volatile(name) || least > 1 || most < 1 {
			continue
		}
		for _, t := range edgeTypes {
			form := []string{"SELECT %s(v) %s", "SELECT %s(v) %s WHERE false", "SELECT %s(DISTINCT v) %s", "SELECT id, %s(v) OVER (ORDER BY id) %s"}[r.IntN(4)]
			from := t.table()
			if strings.Contains(form, "OVER") {
				rows := make([]string, len(t.values))
				for i, v := range t.values {
					rows[i] = fmt.Sprintf("(%d, %s)", i, v)
				}
				from = "FROM VALUES " + strings.Join(rows, ", ") + " AS t(id, v) ORDER BY id"
			}
			out = append(out, of1(r, name, fmt.Sprintf(form, name, from), r.IntN(2) == 0))
		}
	}
	return out
}

// Volatile tells of functions that answer with what nobody can know beforehand: the time, chance, who asks, which version.
func Volatile(name string) bool {
	switch name {
	case "rand", "random", "randn", "uuid", "shuffle", "randstr", "uniform", "now", "current_timestamp", "localtimestamp", "current_date", "curdate", "current_time", "current_user", "user", "session_user",
		"version", "current_timezone", "current_catalog", "current_database", "current_schema", "spark_partition_id", "monotonically_increasing_id", "input_file_name", "input_file_block_start",
		"input_file_block_length", "unix_timestamp", "to_unix_timestamp", "raise_error", "aes_encrypt", "approx_count_distinct", "assert_true":
		return true
	}
	return false
}
