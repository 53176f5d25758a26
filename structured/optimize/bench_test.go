package optimize

import (
	"context"
	"testing"

	"github.com/streamflow/streamflow/structured/sql"
)

const benchQuery = `SELECT window(f.ts, '10 minutes').start AS w, a.city, avg(f.delay) AS d, count(*) AS n
FROM flights f JOIN airports a ON f.origin = a.iata WHERE f.delay BETWEEN 1 AND 600 AND f.carrier IN ('AA', 'UA')
GROUP BY 1, a.city HAVING count(*) > 3 ORDER BY w LIMIT 10`

func BenchmarkAnalyze(b *testing.B) {
	env := testEnv()
	p, err := sql.Parse(benchQuery)
	must(err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Analyze(context.Background(), p, env)
		must(err)
	}
}

func BenchmarkOptimize(b *testing.B) {
	p, err := sql.Parse(benchQuery)
	must(err)
	out, err := Analyze(context.Background(), p, testEnv())
	must(err)
	b.ReportAllocs()
	for b.Loop() {
		Optimize(out)
	}
}
