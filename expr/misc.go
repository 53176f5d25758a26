package expr

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Version is what version() answers; it names the Spark release whose semantics are followed.
const Version = "4.0.0 StreamFlow"

func init() {
	register("misc",
		&Function{Name: "cast", in: params("a:x s:type"), Usage: "cast(x as type)", Doc: "Converts to another type; what cannot be converted is an error.", Example: "cast('12' as int) -> 12", rewrite: castCall(false)},
		&Function{Name: "try_cast", in: params("a:x s:type"), Usage: "try_cast(x as type)", Doc: "Converts to another type; what cannot be converted is null.", Example: "try_cast('a' as int) -> NULL", rewrite: castCall(true)},
		&Function{Name: "typeof", in: params("a:x"), Doc: "The type of x as text.", Example: "typeof(1) -> int", rewrite: func(a []Expr) (Expr, error) { return Lit(a[0].DataType().String()), nil }},
		&Function{Name: "grouping", in: params("a:key"), out: outOf(column.Int8), null: never, flags: volatile, Doc: "1 in the rows of a grouping set without the key, else 0.", Example: "grouping(k) -> the row's"},
		&Function{Name: "grouping_id", in: params("a:key*"), out: outOf(column.Int64), null: never, flags: volatile, Doc: "The bits of grouping(key) of all keys, or of those given, the first one highest.", Example: "grouping_id() -> the row's"},
		&Function{Name: "version", Doc: "The version whose semantics are followed.", Example: "version() -> " + Version, rewrite: func([]Expr) (Expr, error) { return Lit(Version), nil }},
		&Function{Name: "uuid", in: params("l:seed?"), out: outOf(column.String), null: never, flags: volatile, Doc: "A random UUID for each row.", Example: "length(uuid()) -> 36", cost: 300, kernel: func(*Call) kernel {
			return func(k *kctx, _ []*column.Vector, out *column.Vector) {
				t := k.text()
				for i := 0; i < k.n; i++ {
					id, err := uuid.NewRandomFromReader(rand.Reader)
					if err != nil {
						k.fail(i, err)
					}
					t.set(i, []byte(id.String()))
				}
				t.done()
			}
		}},
		random("rand", "A number from 0 to 1 for each row, evenly distributed; the same for the same seed and partition.", func(r *mrand.Rand) float64 { return r.Float64() }, "random"),
		random("randn", "A number from the standard normal distribution for each row.", func(r *mrand.Rand) float64 { return r.NormFloat64() }),
		&Function{Name: "monotonically_increasing_id", out: outOf(column.Int64), null: never, flags: volatile, Doc: "A number that grows from row to row of a partition; partitions start 2^33 apart.", Example: "monotonically_increasing_id() -> 0", cost: 2, kernel: func(*Call) kernel {
			next := int64(0)
			return func(k *kctx, _ []*column.Vector, out *column.Vector) {
				for i := range out.I64 {
					out.I64[i] = int64(k.ctx.Partition)<<33 + next
					next++
				}
			}
		}},
		&Function{Name: "spark_partition_id", out: outOf(column.Int32), null: never, flags: zoned, Doc: "The number of the partition.", Example: "spark_partition_id() -> 0", cost: 1,
			kernel: rowInt(func(k *kctx, _ []*column.Vector, _ int) int64 { return int64(k.ctx.Partition) })},
		&Function{Name: "assert_true", in: params("b:cond s:message?"), out: func([]Expr) (column.Type, error) { return column.Type{}, nil }, null: always, flags: ownNulls | volatile, Doc: "Null when cond is true, an error otherwise.", Example: "assert_true(true) -> NULL", cost: 1000, kernel: func(*Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := 0; i < k.n; i++ {
					if a[0].IsValid(i) && a[0].Bools[i] {
						continue
					}
					msg := "cond is not true!"
					if len(a) == 2 && a[1].IsValid(i) {
						msg = string(a[1].Bytes(i))
					}
					k.fail(i, raised(msg))
				}
			}
		}},
		&Function{Name: "raise_error", in: params("s:message a:parameters?"), out: func([]Expr) (column.Type, error) { return column.Type{}, nil }, null: always, flags: ownNulls | volatile, Doc: "Fails with the message; with parameters, a map, the message is an error condition.", Example: "raise_error('no') -> error USER_RAISED_EXCEPTION", cost: 1000, kernel: func(*Call) kernel {
			return func(k *kctx, a []*column.Vector, out *column.Vector) {
				for i := 0; i < k.n; i++ {
					msg := ""
					if a[0].IsValid(i) {
						msg = string(a[0].Bytes(i))
					}
					if len(a) == 2 {
						k.fail(i, raisedCondition(msg))
						continue
					}
					k.fail(i, raised(msg))
				}
			}
		}},
	)
	for name, kind := range map[string]column.Kind{"boolean": column.Bool, "tinyint": column.Int8, "smallint": column.Int16, "int": column.Int32, "bigint": column.Int64, "float": column.Float32, "double": column.Float64, "string": column.String, "binary": column.Binary, "date": column.Date, "timestamp": column.Timestamp} {
		to := column.Of(kind)
		register("conversion", &Function{Name: name, in: params("a:x"), Doc: "CAST to " + name + ".", Example: map[column.Kind]string{column.Bool: "boolean('t') -> true", column.Float32: "float('1') -> 1.0", column.Float64: "double('1') -> 1.0", column.Date: "date('2026-01-01') -> 2026-01-01",
			column.Timestamp: "timestamp('2026-01-01') -> 2026-01-01 00:00:00"}[kind], rewrite: func(a []Expr) (Expr, error) {
			if a[0].DataType().Equal(to) {
				return a[0], nil
			}
			return ResolveCast(&Cast{Child: a[0], To: to})
		}})
		if f := byName[name]; f.Example == "" {
			f.Example = name + "('1') -> 1"
		}
	}
}

func raised(msg string) error {
	return usererr.New("USER_RAISED_EXCEPTION", "P0001", "%s", msg).With("errorMessage", msg)
}

func castCall(try bool) func([]Expr) (Expr, error) {
	return func(a []Expr) (Expr, error) {
		text, ok := literalText(a[1])
		if !ok {
			return nil, unexpectedType("cast", 1, a[1], "name of a type")
		}
		t, err := column.ParseType(text)
		if err != nil {
			return nil, fmt.Errorf("cast: %w", err)
		}
		return ResolveCast(&Cast{Child: a[0], To: t, Try: try})
	}
}

func random(name, doc string, f func(r *mrand.Rand) float64, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("l:seed?"), out: outOf(column.Float64), null: never, flags: volatile, Doc: doc, Example: name + "(1) is not null -> true", cost: 10, kernel: func(c *Call) kernel {
		seed := mrand.Uint64()
		if len(c.Args) == 1 {
			if l, ok := Transform(c.Args[0], Fold).(*Literal); ok && l.Value != nil {
				seed = uint64(l.Value.(int64))
			}
		}
		var r *mrand.Rand
		return func(k *kctx, _ []*column.Vector, out *column.Vector) {
			if r == nil {
				r = mrand.New(mrand.NewPCG(seed, uint64(k.ctx.Partition)))
			}
			for i := range out.F64 {
				out.F64[i] = f(r)
			}
		}
	}}
}

// raisedCondition is the error of raise_error(condition, parameters).
func raisedCondition(name string) error {
	if name == "SCALAR_SUBQUERY_TOO_MANY_ROWS" {
		return usererr.New(name, "21000", "More than one row returned by a subquery used as an expression.").WithFix("Aggregate in the subquery, or add LIMIT 1.")
	}
	if name == "MERGE_CARDINALITY_VIOLATION" {
		return usererr.New(name, "23K01", "The ON search condition of the MERGE statement matched a single row from the target table with multiple rows of the source table.").
			WithFix("Make the source's rows unique in the columns of ON, for example by GROUP BY or row_number() … QUALIFY.")
	}
	return usererr.New(name, "P0001", "The error condition %s was raised.", name)
}
