package expr

import (
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// flights is a batch like the demo's: numbers without nulls, a short string with few values, a long one with many.
func flights(n int) ([]*Attr, *column.Batch) {
	schema, err := column.ParseDDL("delay INT NOT NULL, dist BIGINT NOT NULL, price DOUBLE NOT NULL, disc DOUBLE NOT NULL, carrier STRING NOT NULL, note STRING NOT NULL, ts TIMESTAMP NOT NULL, tax DECIMAL(10,2) NOT NULL")
	if err != nil {
		panic(err)
	}
	b := column.NewBatchBuilder(schema)
	for i := 0; i < n; i++ {
		h := i * 7919 % 1000
		b.Cols[0].AppendI64(int64(h - 100))
		b.Cols[1].AppendI64(int64(h * 3))
		b.Cols[2].AppendF64(float64(h) / 10)
		b.Cols[3].AppendF64(0.05)
		b.Cols[4].AppendString([]string{"AA", "UA", "DL", "WN", "Alaska Airlines"}[h%5])
		b.Cols[5].AppendString(fmt.Sprintf("flight %d to somewhere", h))
		b.Cols[6].AppendI64(int64(h) * 61e6)
		b.Cols[7].AppendDec(column.Dec128(decFromInt(int64(h))))
	}
	var attrs []*Attr
	for _, f := range schema.Fields {
		attrs = append(attrs, &Attr{ID: NewID(), Name: f.Name, Typ: f.Type})
	}
	return attrs, b.Finish()
}

func BenchmarkEval(b *testing.B) {
	attrs, batch := flights(column.BatchRows)
	coded := *batch
	coded.Cols = append([]*column.Vector{}, batch.Cols...)
	coded.Cols[4] = dictionary(batch.Cols[4])
	for _, c := range []struct {
		name, text string
		in         *column.Batch
	}{
		{"add int", "delay + 1", batch}, {"add bigint", "dist + dist", batch}, {"mul bigint", "dist * 3L", batch}, {"double", "price * (1D - disc)", batch}, {"decimal", "tax * 1.1", batch},
		{"decimal add", "tax + tax", batch}, {"compare", "delay > 15", batch}, {"and", "delay > 15 and dist < 2000L", batch}, {"case", "if(delay > 15, 'late', 'on time')", batch}, {"case num", "if(delay > 15, dist, 0L)", batch},
		{"string =", "note = 'flight 7 to somewhere'", batch}, {"string = short", "carrier = 'UA'", batch}, {"string = dict", "carrier = 'UA'", &coded}, {"like", "note like '%99%'", batch}, {"like dict", "carrier like '%line%'", &coded},
		{"upper", "upper(note)", batch}, {"upper dict", "upper(carrier)", &coded}, {"in", "carrier in ('AA', 'WN', 'XX')", batch}, {"substring", "substring(note, 8, 3)", batch}, {"concat", "concat(carrier, note)", batch},
		{"hour", "hour(ts)", batch}, {"date_trunc", "date_trunc('HOUR', ts)", batch}, {"month", "month(ts)", batch}, {"window", "window(ts, '10 minutes')", batch}, {"cast to string", "cast(dist as string)", batch}, {"cast to int", "cast(substring(note, 8, 1) as int)", batch},
		{"hash", "hash(dist)", batch}, {"rlike", "note rlike 't [0-9]9'", batch}, {"1/x guarded", "dist <> 0L and 1000 / dist > 2D", batch},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := compile(b, c.text, attrs)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(testCtx, c.in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(c.in.N)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func BenchmarkFilter(b *testing.B) {
	attrs, batch := flights(column.BatchRows)
	coded := *batch
	coded.Cols = append([]*column.Vector{}, batch.Cols...)
	coded.Cols[4] = dictionary(batch.Cols[4])
	for _, c := range []struct {
		name, text string
		in         *column.Batch
	}{
		{"int", "delay > 15", batch}, {"two", "delay > 15 and dist < 2000L", batch}, {"string", "carrier = 'UA'", batch}, {"dict", "carrier = 'UA'", &coded}, {"int and string", "delay > 800 and note like '%99%'", batch}, {"double", "price >= 50D", batch},
	} {
		b.Run(c.name, func(b *testing.B) {
			bound, err := Bind(parseExpr(b, c.text, attrs...), attrs)
			if err != nil {
				b.Fatal(err)
			}
			f, err := CompileFilter(bound)
			if err != nil {
				b.Fatal(err)
			}
			var sel []int32
			b.ReportAllocs()
			for b.Loop() {
				if sel, err = f.Select(testCtx, c.in, sel); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(c.in.N)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func BenchmarkAggregate(b *testing.B) {
	attrs, batch := flights(column.BatchRows)
	gids := make([]uint32, batch.N)
	for _, groups := range []int{1, 256} {
		for i := range gids {
			gids[i] = uint32(i * 31 % groups)
		}
		for _, text := range []string{"count(delay)", "sum(delay)", "sum(dist)", "sum(price)", "sum(tax)", "avg(price)", "avg(delay)", "max(dist)", "min(carrier)", "stddev(price)", "approx_count_distinct(dist)", "count(tax)"} {
			a := parseExpr(b, text, attrs...).(*Agg)
			args := make([]*column.Vector, len(a.Args))
			for i, e := range a.Args {
				bound, err := Bind(e, attrs)
				if err != nil {
					b.Fatal(err)
				}
				p, err := Compile(bound)
				if err != nil {
					b.Fatal(err)
				}
				if args[i], err = p.Eval(testCtx, batch); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprintf("%s/%d", text, groups), func(b *testing.B) {
				acc, err := NewAccumulator(a)
				if err != nil {
					b.Fatal(err)
				}
				acc.Resize(groups)
				for b.Loop() {
					if err := acc.Update(gids, args, batch.N); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(batch.N)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}
