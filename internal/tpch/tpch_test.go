package tpch

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
)

// text is a row as the council's generator prints it.
func text(b *column.Batch, i int) string {
	var parts []string
	for _, v := range b.Cols {
		switch v.Type.Kind {
		case column.Decimal:
			parts = append(parts, v.Dec[i].Text(int(v.Type.Scale)))
		case column.Date:
			parts = append(parts, column.FormatDate(v.I32[i]))
		default:
			parts = append(parts, fmt.Sprint(column.Value(v, i)))
		}
	}
	return strings.Join(parts, "|")
}

// lines are the rows of a range as text.
func lines(t Table, s Scale, from, to int64) (out []string) {
	r := t.Read(s, from, to)
	for b := r.Next(); b != nil; b = r.Next() {
		for i := range b.N {
			out = append(out, text(b, i))
		}
	}
	return out
}

func table(name string) Table {
	return Tables[slices.IndexFunc(Tables, func(t Table) bool { return t.Name == name })]
}

// The rows are those of the council's generator at scale factor 1. Money always has two digits here.
func TestRowsAsPublished(t *testing.T) {
	for _, c := range []struct {
		table string
		unit  int64
		want  []string
	}{
		{"region", 1, []string{"1|AMERICA|hs use ironic, even requests. s"}},
		{"nation", 0, []string{"0|ALGERIA|0| haggle. carefully final deposits detect slyly agai"}},
		{"nation", 24, []string{"24|UNITED STATES|1|y final packages. slow foxes cajole quickly. quickly silent platelets breach ironic accounts. unusual pinto be"}},
		{"supplier", 0, []string{"1|Supplier#000000001| N kD4on9OM Ipw3,gf0JBoQDd7tgrzrddZ|17|27-918-335-1736|5755.94|each slyly above the careful"}},
		{"customer", 0, []string{"1|Customer#000000001|IVhzIApeRb ot,c,E|15|25-989-741-2988|711.56|BUILDING|to the even, regular platelets. regular, ironic epitaphs nag e"}},
		{"part", 0, []string{"1|goldenrod lavender spring chocolate lace|Manufacturer#1|Brand#13|PROMO BURNISHED COPPER|7|JUMBO PKG|901.00|ly. slyly ironi"}},
		{"partsupp", 0, []string{
			"1|2|3325|771.64|, even theodolites. regular, final theodolites eat after the carefully pending foxes. furiously regular deposits sleep slyly. carefully bold realms above the ironic dependencies haggle careful",
			"1|2502|8076|993.49|ven ideas. quickly even packages print. pending multipliers must have to are fluff",
			"1|5002|3956|337.09|after the fluffily ironic deposits? blithely special dependencies integrate furiously even excuses. blithely silent theodolites could have to haggle pending, express requests; fu",
			"1|7502|4069|357.84|al, regular dependencies serve carefully after the quickly final pinto beans. furiously even deposits sleep quickly final, silent pinto beans. fluffily reg"}},
		{"orders", 0, []string{"1|36901|O|173665.47|1996-01-02|5-LOW|Clerk#000000951|0|nstructions sleep furiously among "}},
		{"orders", 7, []string{"32|130057|O|208660.75|1995-07-16|2-HIGH|Clerk#000000616|0|ise blithely bold, regular requests. quickly unusual dep"}},
		{"lineitem", 0, []string{
			"1|155190|7706|1|17.00|21168.23|0.04|0.02|N|O|1996-03-13|1996-02-12|1996-03-22|DELIVER IN PERSON|TRUCK|egular courts above the",
			"1|67310|7311|2|36.00|45983.16|0.09|0.06|N|O|1996-04-12|1996-02-28|1996-04-20|TAKE BACK RETURN|MAIL|ly final dependencies: slyly bold ",
			"1|63700|3701|3|8.00|13309.60|0.10|0.02|N|O|1996-01-29|1996-03-05|1996-01-31|TAKE BACK RETURN|REG AIR|riously. regular, express dep",
			"1|2132|4633|4|28.00|28955.64|0.09|0.06|N|O|1996-04-21|1996-03-30|1996-05-16|NONE|AIR|lites. fluffily even de",
			"1|24027|1534|5|24.00|22824.48|0.10|0.04|N|O|1996-03-30|1996-03-14|1996-04-01|NONE|FOB| pending foxes. slyly re",
			"1|15635|638|6|32.00|49620.16|0.07|0.02|N|O|1996-01-30|1996-02-07|1996-02-03|DELIVER IN PERSON|MAIL|arefully slyly ex"}},
	} {
		if got := lines(table(c.table), 1, c.unit, c.unit+1); !slices.Equal(got, c.want) {
			t.Errorf("%s %d:\n got  %q\n want %q", c.table, c.unit, got, c.want)
		}
	}
}

// The specification's counts (clause 4.2.5) and the answer to its query 6 (clause 2.4.6.5), at scale factor 1.
func TestCountsAndAnswerAsPublished(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: makes six million rows")
	}
	for name, want := range map[string]int64{"supplier": 10_000, "customer": 150_000, "part": 200_000, "partsupp": 200_000, "orders": 1_500_000} {
		if got := table(name).Units(1); got != want {
			t.Errorf("%s: %d units, want %d", name, got, want)
		}
	}
	const ranges = 8
	var wg sync.WaitGroup
	var counts [ranges]int
	var revenues [ranges]int64
	for i := range int64(ranges) {
		wg.Go(func() {
			r := table("lineitem").Read(1, 1_500_000*i/ranges, 1_500_000*(i+1)/ranges)
			for b := r.Next(); b != nil; b = r.Next() {
				counts[i] += b.N
				revenues[i] += forecast(b)
			}
		})
	}
	wg.Wait()
	count, revenue := 0, int64(0)
	for i := range ranges {
		count, revenue = count+counts[i], revenue+revenues[i]
	}
	if count != 6_001_215 {
		t.Errorf("%d lines, want 6001215", count)
	}
	if revenue != 1231410782283 {
		t.Errorf("query 6 is %d ten-thousandths, want 123141078.2283", revenue)
	}
}

// forecast is query 6's sum in ten-thousandths.
func forecast(b *column.Batch) (sum int64) {
	quantity, price, discount, shipped := b.Cols[4].Dec, b.Cols[5].Dec, b.Cols[6].Dec, b.Cols[10].I32
	from, _ := column.ParseDate("1994-01-01")
	to, _ := column.ParseDate("1995-01-01")
	for i := range b.N {
		if d := discount[i].Lo; shipped[i] >= from && shipped[i] < to && d >= 5 && d <= 7 && quantity[i].Lo < 2400 {
			sum += int64(price[i].Lo * d)
		}
	}
	return sum
}

func TestAnyCutGivesTheSameRows(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	const s = Scale(0.002)
	for _, tab := range Tables {
		all := lines(tab, s, 0, tab.Units(s))
		for range 5 {
			var got []string
			for from := int64(0); from < tab.Units(s); {
				to := min(from+1+r.Int64N(tab.Units(s)), tab.Units(s))
				got = append(got, lines(tab, s, from, to)...)
				from = to
			}
			if !slices.Equal(got, all) {
				t.Errorf("%s: a cut gives other rows (seed %d)", tab.Name, seed)
			}
		}
	}
}

func TestWrite(t *testing.T) {
	const s = Scale(0.002)
	dir := t.TempDir()
	if err := Write(context.Background(), Options{Dir: dir, Scale: s, Parts: 3, Workers: 2, Tables: Tables}); err != nil {
		t.Fatal(err)
	}
	for _, tab := range Tables {
		files, err := fs.Glob(os.DirFS(dir), tab.Name+"/*")
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 1, false: 3}[tab.Units(s) < 100]; len(files) != want {
			t.Errorf("%s: files %v, want %d", tab.Name, files, want)
		}
		var got []string
		for _, f := range files {
			got = append(got, fileLines(t, filepath.Join(dir, f))...)
		}
		if want := lines(tab, s, 0, tab.Units(s)); !slices.Equal(got, want) {
			t.Errorf("%s: the files' rows differ", tab.Name)
		}
	}
}

func fileLines(t *testing.T, path string) (out []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.Open(strings.NewReader(string(data)), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var cols []int
	for i := range f.Schema().Fields {
		cols = append(cols, i)
	}
	b, err := f.All(cols)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.N {
		out = append(out, text(b, i))
	}
	return out
}

func TestWriteStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if err := Write(ctx, Options{Dir: dir, Scale: 0.01, Tables: Tables}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if files, _ := fs.Glob(os.DirFS(dir), "*/*.parquet"); len(files) > 0 {
		t.Errorf("files %v", files)
	}
}

func TestDDL(t *testing.T) {
	want := `CREATE TABLE region (r_regionkey int NOT NULL, r_name string NOT NULL, r_comment string NOT NULL) USING parquet LOCATION '/a\'b/region'`
	if got := table("region").DDL("/a'b"); got != want {
		t.Errorf("got %s", got)
	}
	if got, want := table("region").View("/a'b"), "CREATE VIEW region AS SELECT * FROM read_parquet('/a''b/region/*.parquet')"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestEveryQueryIsThere(t *testing.T) {
	for n := 1; n <= Queries; n++ {
		q, err := Query("../../testdata/tpch/queries", n, 0.01)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(q, "{;") {
			t.Errorf("q%d: %s", n, q)
		}
	}
}

func BenchmarkLineitem(b *testing.B) { benchmark(b, "lineitem") }
func BenchmarkOrders(b *testing.B)   { benchmark(b, "orders") }
func BenchmarkPart(b *testing.B)     { benchmark(b, "part") }
func BenchmarkCustomer(b *testing.B) { benchmark(b, "customer") }

func benchmark(b *testing.B, name string) {
	rows, r := 0, table(name).Read(1000, 0, 1<<40)
	for b.Loop() {
		rows += r.Next().N
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
