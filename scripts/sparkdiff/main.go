package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/sqlgen"
)

const answers = "testdata/spark/answers.jsonl.gz"

func main() {
	seed := flag.Uint64("seed", 1, "of the generated statements")
	n := flag.Int("n", 1500, "generated calls, and operators")
	only := flag.String("only", "", "statements whose name holds this text")
	documented := flag.Bool("examples", false, "the examples of Spark's documentation, instead of generated statements")
	write := flag.Bool("write", false, "keep Spark's answers for the tests")
	python := flag.String("python", cmp.Or(os.Getenv("SPARK_PYTHON"), ".cache/spark/bin/python"), "a Python with PySpark and its jars")
	flag.Parse()
	bad, err := run(*python, *seed, *n, *only, *documented, *write)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sparkdiff:", err)
		os.Exit(1)
	}
	if bad > 0 {
		os.Exit(2)
	}
}

func run(python string, seed uint64, n int, only string, documented, write bool) (bad int, err error) {
	ctx := context.Background()
	spark, err := oracle.StartSpark(ctx, python, "testdata/spark/answer.py", 1, "1g")
	if err != nil {
		return 0, err
	}
	defer spark.Close()
	s, err := streamflow.Local(streamflow.Config{Slots: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	list := sqlgen.Statements(usages(expr.Scalar), usages(expr.Aggregate), seed, n)
	if documented {
		if list, err = examples(spark); err != nil {
			return 0, err
		}
	}
	var kept []oracle.Golden
	list = slices.DeleteFunc(list, func(s sqlgen.Statement) bool { return !strings.Contains(s.Name, only) })
	for _, st := range list {
		want, err := spark.Ask(st.SQL, st.Conf())
		if err != nil {
			return bad, err
		}
		g := oracle.Golden{Name: st.Name, SQL: st.SQL, Conf: st.Conf(), Verdict: want}
		got, err := g.Judge(ctx, s.Session)
		if err == nil {
			err = g.Compare(got)
		}
		g.Differs = err != nil
		kept = append(kept, g)
		if err != nil {
			bad++
			fmt.Printf("%s: %s\n  %v\n  ANSI %v, %s\n", st.Name, st.SQL, err, st.ANSI, st.Zone)
		}
	}
	fmt.Printf("%d statements, %d differ\n", len(list), bad)
	if write && !documented {
		return bad, oracle.SaveGolden(answers, kept)
	}
	return bad, nil
}

// examples are those that Spark's documentation gives of its functions.
func examples(spark *oracle.Spark) (out []sqlgen.Statement, err error) {
	v, err := spark.Examples()
	if err != nil {
		return nil, err
	}
	for _, row := range v.Rows {
		if name, sql := *row[0], *row[1]; !sqlgen.Volatile(name) && !strings.HasPrefix(sql, "SET ") {
			out = append(out, sqlgen.Statement{Name: "example of " + name, SQL: sql, ANSI: true, Zone: "UTC"})
		}
	}
	return out, nil
}

func usages(k expr.Kind) (out []string) {
	for _, f := range expr.Functions() {
		if f.Kind == k {
			out = append(out, f.Usage)
		}
	}
	return out
}
