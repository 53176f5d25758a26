package generate

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

func TestPace(t *testing.T) {
	for _, p := range []pace{{Rate: 1}, {Rate: 7}, {Rate: 1_000_000}, {Rate: 3_000_000}, {Rate: 10, Ramp: 5e6}, {Rate: 1000, Ramp: 2_500_000}} {
		last := int64(-1)
		for n := range int64(3000) {
			at := p.time(n)
			if at < last || p.rows(at) <= n || at > 0 && p.rows(at-1) > n {
				t.Fatalf("%+v: row %d at %d after %d: %d rows then, %d just before", p, n, at, last, p.rows(at), p.rows(at-1))
			}
			last = at
		}
	}
	if n := (pace{Rate: 10, Limit: 25}).rows(1e9); n != 25 {
		t.Errorf("%d rows, want the 25 that there are", n)
	}
	if at := (pace{Batch: 10, Advance: 500}).time(29); at != 1000 {
		t.Errorf("row 29 of batches of 10 is at %d, want 1000", at)
	}
}

func TestShare(t *testing.T) {
	for _, s := range []share{{1, 1}, {3, 1}, {2, 4}, {5, 7}} {
		for rows := range int64(200) {
			var all []int64
			for p := range s.Parts {
				for i := range s.of(p, rows) {
					all = append(all, s.row(p, i))
				}
			}
			slices.Sort(all)
			for i, n := range all {
				if n != int64(i) {
					t.Fatalf("%+v: of %d rows the %d. is %d", s, rows, i, n)
				}
			}
			if int64(len(all)) != rows {
				t.Fatalf("%+v: %d of %d rows", s, len(all), rows)
			}
		}
	}
}

// source is a table under test whose clock the test moves.
type source struct {
	connector.StreamReader
	t     *testing.T
	clock time.Time
}

func open(t *testing.T, provider string, schema *column.Schema, options ...string) *source {
	t.Helper()
	s, err := try(provider, schema, options...)
	if err != nil {
		t.Fatal(err)
	}
	s.t = t
	return s
}

func try(provider string, schema *column.Schema, options ...string) (*source, error) {
	def := catalog.TableDef{Name: "t", Provider: provider, Schema: schema, Options: map[string]string{}}
	for _, o := range options {
		k, v, _ := strings.Cut(o, "=")
		def.Options[k] = v
	}
	opened, err := map[string]Provider{"rate": Rate, "rate-micro-batch": RateMicroBatch, "datagen": Datagen, "nexmark": Nexmark}[provider].Open(context.Background(), def)
	if err != nil {
		return nil, err
	}
	s := &source{StreamReader: opened.(connector.StreamReader), clock: time.UnixMicro(1_000_000_000_000)}
	inner, ok := opened.(*Table)
	if !ok {
		inner = opened.(stepped).Table
	}
	inner.now = func() time.Time { return s.clock }
	return s, nil
}

// begin starts reading, as a query does.
func (s *source) begin() connector.Offsets {
	s.t.Helper()
	at, err := s.Begin(context.Background(), connector.Start{Mode: "beginning"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.StreamReader.(connector.Anchored).Anchor(at, at)
	return at
}

func (s *source) available() connector.Availability {
	s.t.Helper()
	a, err := s.Available(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// read returns the rows of a range as text.
func (s *source) read(from, to connector.Offsets) (rows []string) {
	s.t.Helper()
	var cols []int
	for i := range s.Schema().Len() - s.Hidden() {
		cols = append(cols, i)
	}
	scan, err := s.PlanStream(context.Background(), connector.ScanRequest{Columns: cols})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.run(scan, s.Bind(from, to))
}

func (s *source) run(scan *connector.Scan, splits [][]rdd.Split) (rows []string) {
	s.t.Helper()
	for p := range splits {
		tc, _ := connectortest.Task(s.t, p, &rdd.Binding{Splits: map[string][][]rdd.Split{"op": splits}}, nil)
		r, err := scan.Op.Open(tc, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		for {
			b, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				s.t.Fatal(err)
			}
			for i := range b.N {
				rows = append(rows, fmt.Sprint(b.Row(i)))
			}
		}
	}
	return rows
}

func TestRate(t *testing.T) {
	s := open(t, "rate", nil, "rowsPerSecond=2", "numPartitions=3")
	at := s.begin()
	if a := s.available(); a.Ended || !slices.Equal(a.End, at) {
		t.Fatalf("at the start: %+v", a)
	}
	s.clock = s.clock.Add(2 * time.Second)
	rows := s.read(at, s.available().End)
	slices.Sort(rows)
	if got, want := strings.Join(rows, " "), "[1000000500000 0] [1000001000000 1] [1000001500000 2] [1000002000000 3]"; got != want {
		t.Errorf("after two seconds %s, want %s", got, want)
	}
}

// TestEveryCutMakesEachRowOnce reads ranges that end anywhere, and again after a restart.
func TestEveryCutMakesEachRowOnce(t *testing.T) {
	ddl, err := column.ParseDDL("id BIGINT, n INT, x DOUBLE, s STRING, at TIMESTAMP, ok BOOLEAN, d DATE, b TINYINT")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range [][]string{
		{"datagen", "rows-per-second=100", "number-of-rows=500", "partitions=3", "fields.id.kind=sequence", "fields.s.length=20", "fields.n.null-rate=0.5", "fields.at.max-past=10s"},
		{"nexmark", "table=bid", "events=700", "partitions=2"},
		{"nexmark", "table=auction", "events=20000", "partitions=3", "rows-per-second=1000"},
	} {
		schema := ddl
		if o[0] == "nexmark" {
			schema = nil
		}
		s := open(t, o[0], schema, o[1:]...)
		begin := s.begin()
		s.clock = s.clock.Add(time.Hour)
		end := s.available()
		if !end.Ended {
			t.Fatalf("%v: not ended after an hour", o)
		}
		whole := s.read(begin, end.End)
		rng, at := rand.New(rand.NewPCG(1, 2)), begin
		var parts []string
		for !slices.Equal(at, end.End) {
			to := append(connector.Offsets{}, at...)
			for p := range to[:len(to)-1] {
				to[p] = min(end.End[p], at[p]+rng.Int64N(300))
			}
			s = open(t, o[0], schema, o[1:]...) // another process
			s.StreamReader.(connector.Anchored).Anchor(begin, at)
			parts = append(parts, s.read(at, to)...)
			at = to
		}
		slices.Sort(whole)
		slices.Sort(parts)
		if !slices.Equal(whole, parts) || len(slices.Compact(whole)) != len(parts) {
			t.Errorf("%v: %d rows at once, %d in parts, %d different", o, len(whole), len(parts), len(slices.Compact(whole)))
		}
	}
}

func TestDatagenKeepsItsBounds(t *testing.T) {
	schema, err := column.ParseDDL("id BIGINT, n INT, s STRING")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "datagen", schema, "rows-per-second=0", "number-of-rows=1000", "fields.id.kind=sequence", "fields.id.start=5", "fields.n.min=-1", "fields.n.max=1", "fields.s.length=3", "fields.s.null-rate=0.25")
	scan, err := s.PlanScan(context.Background(), connector.ScanRequest{Columns: []int{0, 1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	seen, nulls := map[string]int{}, 0
	for i, row := range s.run(scan, scan.Splits) {
		var id int
		var n, text string
		if _, err := fmt.Sscanf(row, "[%d %s %s", &id, &n, &text); err != nil || id != i+5 {
			t.Fatalf("row %d is %s", i, row)
		}
		seen[n]++
		if text == "<nil>]" {
			nulls++
		} else if len(text) != 4 {
			t.Fatalf("text of row %d: %q", i, text)
		}
	}
	if len(seen) != 3 || seen["-1"] < 250 || seen["0"] < 250 || seen["1"] < 250 || nulls < 200 || nulls > 300 {
		t.Errorf("values %v, %d nulls", seen, nulls)
	}
}

func TestNexmarkIsTheGenerators(t *testing.T) {
	s := open(t, "nexmark", nil, "table=person", "events=5000", "seed=3", "tps=1000")
	rows := s.read(nil, append(connector.Offsets{nexmark.Person.Rows(5000)}, 0))
	b := nexmark.NewGenerator(nexmark.Config{Seed: 3, TPS: 1000}).Batch(nexmark.Person, 0, len(rows))
	for i, r := range rows {
		if want := fmt.Sprint(b.Row(i)); r != want {
			t.Fatalf("row %d is %s, want %s", i, r, want)
		}
	}
	if len(rows) != 100 {
		t.Errorf("%d persons, want 100", len(rows))
	}
}

func TestHiddenTime(t *testing.T) {
	s := open(t, "nexmark", nil, "table=bid", "events=50", "rows-per-second=10")
	s.begin()
	scan, err := s.PlanScan(context.Background(), connector.ScanRequest{Columns: []int{0, 7}})
	if err != nil {
		t.Fatal(err)
	}
	rows := s.run(scan, scan.Splits)
	if len(rows) != 46 || !strings.HasSuffix(rows[0], " 1000000100000]") || !strings.HasSuffix(rows[45], " 1000004600000]") {
		t.Errorf("%d rows, %s to %s", len(rows), rows[0], rows[len(rows)-1])
	}
}

func TestRateMicroBatch(t *testing.T) {
	s := open(t, "rate-micro-batch", nil, "rowsPerBatch=3", "startTimestamp=1000", "advanceMillisPerBatch=50", "numPartitions=2")
	at := s.begin()
	for batch := range 3 {
		to := s.StreamReader.(connector.Stepped).Until(at)
		rows := s.read(at, to)
		slices.Sort(rows)
		var want []string
		for i := range 3 {
			want = append(want, fmt.Sprintf("[%d %d]", 1_000_000+batch*50_000, batch*3+i))
		}
		if !slices.Equal(rows, want) {
			t.Errorf("batch %d: %v, want %v", batch, rows, want)
		}
		at = to
	}
}

func TestWaitEndsWhenARowIsDue(t *testing.T) {
	s := open(t, "rate", nil, "rowsPerSecond=1000000")
	at := s.begin()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Wait(ctx, at); err == nil {
		t.Fatal("waiting ended while the clock stood")
	}
	s.clock = s.clock.Add(time.Second)
	if err := s.Wait(context.Background(), at); err != nil {
		t.Fatal(err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	schema, err := column.ParseDDL("id BIGINT, xs ARRAY<INT>")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range [][]string{
		{"rate", "rowsPerSecond=0"}, {"rate", "rowsPerSecond=many"}, {"rate", "rampUpTime=soon"}, {"rate", "rowspersec=1"}, {"rate", "numPartitions=2000"},
		{"rate-micro-batch"}, {"nexmark", "table=seller"}, {"nexmark", "table=bid", "tps=0"},
		{"datagen", "fields.xs.kind=random"}, {"datagen", "fields.id.kind=prime"},
	} {
		var declared *column.Schema
		if o[0] == "datagen" {
			declared = schema
		}
		_, err := try(o[0], declared, o[1:]...)
		if u, ok := usererr.As(err); !ok || u.Code != "INVALID_SOURCE_OPTION" {
			t.Errorf("%v: %v", o, err)
		}
	}
	if _, err := try("rate", schema); err == nil {
		t.Error("a rate table has any columns")
	}
	if s := open(t, "rate", nil); s != nil {
		if _, err := s.PlanScan(context.Background(), connector.ScanRequest{}); err == nil {
			t.Error("a source without end is read whole")
		}
	}
}

func FuzzSpan(f *testing.F) {
	f.Add(span{1, 2, 3, 4}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeSpan(b)
		if err == nil && string(s.encode()) != string(b) {
			t.Errorf("%x decodes to %+v, which is %x", b, s, s.encode())
		}
	})
}

func BenchmarkDatagen(b *testing.B) {
	schema, _ := column.ParseDDL("id BIGINT, x DOUBLE, s STRING")
	d := &datagen{Seed: 1, Columns: []columnMaker{{Sequence: true}, {Max: 1}, {Length: 10}}, fields: schema}
	numbers := make([]int64, 4096)
	for b.Loop() {
		d.rows(numbers, numbers, []int{0, 1, 2})
	}
	b.ReportMetric(4096*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
