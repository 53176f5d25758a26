package streamflow

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/process"
	"github.com/streamflow/streamflow/structured/stream"
)

var (
	soakFor     = flag.Duration("soak", 0, "run queries under load for so long and fail when something grows; 0 does not")
	soakProfile = flag.String("soak.profile", "", "directory that takes a heap profile of each sample")
	soakRate    = flag.Int("soak.rate", 5000, "rows a second in all")
)

// soakTables are read and written by the queries. Those that are kept whole are compared with history at the end; the others
// are kept for a while.
const (
	keptWhole  = "retention.ms '-1'"
	keptAWhile = "retention.ms '20000', segment.bytes '1048576', segment.ms '10000'"
	compacted  = "cleanup.policy 'compact', segment.bytes '1048576', segment.ms '5000', min.cleanable.dirty.ratio '0.1'"
)

var soakTables = []string{
	"CREATE TABLE bids (auction INT, bidder INT, price BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 2 SECONDS) USING topic OPTIONS (partitions '2', " + keptWhole + ")",
	"CREATE TABLE auctions (auction INT, seller INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 2 SECONDS) USING topic OPTIONS (partitions '1', " + keptWhole + ")",
	"CREATE TABLE per_auction (w TIMESTAMP, auction INT, n BIGINT, best BIGINT) USING topic OPTIONS (partitions '1', " + keptWhole + ")",
	"CREATE TABLE joined (w TIMESTAMP, seller INT, n BIGINT) USING topic OPTIONS (partitions '1', " + keptWhole + ")",
	"CREATE TABLE busiest (w TIMESTAMP, bidder INT, n BIGINT, place INT) USING topic OPTIONS (partitions '1', " + keptWhole + ")",
	"CREATE TABLE loose (auction INT, seller INT, price BIGINT) USING topic OPTIONS (partitions '1', " + keptAWhile + ")",
	"CREATE TABLE seen (auction INT, bidder INT) USING topic OPTIONS (partitions '1', " + keptAWhile + ")",
	"CREATE TABLE latest (bidder INT, n BIGINT, spent BIGINT) USING topic OPTIONS (partitions '1', " + compacted + ")",
}

// exactQueries have results that depend on their input alone; by name, the table that they write and what they write.
var exactQueries = [][3]string{
	{"s_counts", "per_auction", "SELECT window(ts, '10 seconds').start, auction, count(*), max(price) FROM bids GROUP BY window(ts, '10 seconds'), auction"},
	{"s_joined", "joined", `SELECT window(ts, '10 seconds').start, seller, count(*) FROM (SELECT b.ts, a.seller FROM bids b JOIN auctions a ON b.auction = a.auction
		AND a.ts BETWEEN b.ts - INTERVAL 2 SECONDS AND b.ts) GROUP BY window(ts, '10 seconds'), seller`},
	{"s_busiest", "busiest", `SELECT w.start, bidder, n, place FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY n DESC, bidder) AS place
		FROM (SELECT window(ts, '10 seconds') AS w, bidder, count(*) AS n FROM bids GROUP BY window(ts, '10 seconds'), bidder)) WHERE place <= 5`},
}

// looseQueries forget by processing time: what they put out depends on when rows came.
var looseQueries = []string{
	"CREATE STREAMING QUERY s_loose OUTPUT MODE update START FROM BEGINNING AS INSERT INTO loose SELECT b.auction, a.seller, b.price FROM bids b JOIN auctions a ON b.auction = a.auction AND b.price > 9900",
	"CREATE STREAMING QUERY s_seen START FROM BEGINNING AS INSERT INTO seen SELECT DISTINCT auction, bidder FROM bids",
	"CREATE STREAMING QUERY s_latest OUTPUT MODE update START FROM BEGINNING AS INSERT INTO latest SELECT bidder, count(*), sum(price) FROM bids GROUP BY bidder",
	"CREATE MATERIALIZED VIEW s_view AS SELECT auction, count(*) AS n, max(price) AS best FROM bids GROUP BY auction",
}

var soakBatches atomic.Int64

func init() {
	process.RegisterBatch("soak_batches", func(_ context.Context, b *process.Batch) error {
		soakBatches.Add(1)
		return nil
	})
}

// TestSoak runs a node under steady load for the time of -soak. It fails when memory, goroutines, open files, state or disk
// still grow in the second half, and when the results are not those of history.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("run it with make soak")
	}
	ctx := context.Background()
	s, err := Local(Config{Dir: t.TempDir(), Slots: 2, Memory: 512 << 20, StateInterval: 5 * time.Second, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Log: logstore.Options{RetentionInterval: 2 * time.Second, CompactionInterval: 2 * time.Second, WALFileSize: 8 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	startSoak(t, s)
	end := time.Now().Add(*soakFor)
	every := min(max(*soakFor/40, time.Second), time.Minute)
	load := &soakLoad{t: t, s: s}
	var samples []soakSample
	fmt.Println("  minute     RSS    heap  goroutines  files    disk    state  behind  batches/s")
	for next := time.Now().Add(every); time.Now().Before(end); {
		load.send()
		if time.Now().After(next) {
			next = next.Add(every)
			samples = append(samples, soakLook(t, s))
			if n := len(samples); n == 1 || time.Duration(n)*every/time.Minute > time.Duration(n-1)*every/time.Minute {
				fmt.Println(samples[n-1].line(samples[max(n-2, 0)]))
			}
		}
	}
	for _, leak := range leaks(samples) {
		t.Error(leak)
	}
	seal(t, s, "bids")
	seal(t, s, "auctions")
	for _, q := range exactQueries {
		await(t, s, q[0])
		got := query(t, s.Session, "SELECT * FROM "+q[1])
		d, err := s.SQL(ctx, q[2])
		if err != nil {
			t.Fatal(err)
		}
		rows, err := d.Over(structured.RunOptions{Name: q[0] + "_history"}).Collect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for _, r := range rows {
			fmt.Fprintln(&want, r)
		}
		if a, b := rowsOf(got), rowsOf(want.String()); len(a) < 10 || !slices.Equal(a, b) {
			t.Errorf("%s: %d rows, history has %d", q[0], len(a), len(b))
		}
	}
	fmt.Printf("%d bids, %d batches of the function, results as history\n", load.sent, soakBatches.Load())
}

// rowsOf are lines of rows without the names of their columns, which differ between a table and a query; sorted.
func rowsOf(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		parts := strings.Split(l, ", ")
		for k, p := range parts {
			if at := strings.LastIndexByte(p, '='); at >= 0 {
				parts[k] = p[at+1:]
			}
		}
		lines[i] = strings.Join(parts, ", ")
	}
	slices.Sort(lines)
	return lines
}

func startSoak(t *testing.T, s *LocalSession) {
	t.Helper()
	for _, table := range soakTables {
		query(t, s.Session, table)
	}
	for _, q := range exactQueries {
		query(t, s.Session, fmt.Sprintf("CREATE STREAMING QUERY %s START FROM BEGINNING AS INSERT INTO %s %s", q[0], q[1], q[2]))
	}
	query(t, s.Session, "SET streamflow.state.ttl = '15 seconds'")
	query(t, s.Session, "SET streamflow.savepoint.interval = '10 seconds'")
	for _, q := range looseQueries {
		query(t, s.Session, q)
	}
	if _, err := s.ReadStream().Table("auctions").WriteStream().QueryName("s_function").From("beginning").ForeachBatch(context.Background(), "soak_batches"); err != nil {
		t.Fatal(err)
	}
}

// soakLoad sends rows at a rate.
type soakLoad struct {
	t     *testing.T
	s     *LocalSession
	begun time.Time
	sent  int
}

// send sends what is due, and waits a moment.
func (l *soakLoad) send() {
	if l.begun.IsZero() {
		l.begun = time.Now()
	}
	due := int(time.Since(l.begun).Seconds() * float64(*soakRate))
	due = min(due, l.sent+*soakRate) // what was missed while the machine was busy is not made up for at once
	var bids [2][]string
	var auctions []string
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	for ; l.sent < due; l.sent++ {
		i := l.sent
		auction := i/50 + i*7919%23 // each is there for a moment, so that history joins it with few
		bids[i%2] = append(bids[i%2], fmt.Sprintf(`{"auction":%d,"bidder":%d,"price":%d,"ts":%q}`, auction, i*31%2003, i*7907%10007, now))
		if i%10 == 0 {
			auctions = append(auctions, fmt.Sprintf(`{"auction":%d,"seller":%d,"ts":%q}`, auction, i%17, now))
		}
	}
	for p, rows := range bids {
		if len(rows) > 0 {
			produce(l.t, l.s, "bids", int32(p), rows...)
		}
	}
	if len(auctions) > 0 {
		produce(l.t, l.s, "auctions", 0, auctions...)
	}
	time.Sleep(5 * time.Millisecond)
}

// soakSample is what a node takes at a moment.
type soakSample struct {
	at                                            time.Time
	rss, heap, goroutines, files, disk, keys, lag int64
	batches                                       int64
}

func (a soakSample) line(before soakSample) string {
	rate := 0.0
	if d := a.at.Sub(before.at).Seconds(); d > 0 {
		rate = float64(a.batches-before.batches) / d
	}
	return fmt.Sprintf("%8s %4d MiB %3d MiB %11d %6d %3d MiB %8d %7d %10.0f", a.at.Format("15:04:05"), a.rss>>20, a.heap>>20, a.goroutines, a.files, a.disk>>20, a.keys, a.lag, rate)
}

func soakLook(t *testing.T, s *LocalSession) soakSample {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if *soakProfile != "" {
		if f, err := os.Create(filepath.Join(*soakProfile, time.Now().Format("heap-150405.pb.gz"))); err == nil {
			err = pprof.WriteHeapProfile(f)
			if err = errors.Join(err, f.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	out := soakSample{at: time.Now(), heap: int64(m.HeapAlloc), goroutines: int64(runtime.NumGoroutine()), rss: residentBytes(), files: openFiles()}
	out.keys, _ = s.Node().StateSize()
	for _, r := range s.Node().Queries().Queries() {
		if r.Status != stream.Running {
			t.Fatalf("query %s is %s: %s", r.Name, r.Status, r.Error)
		}
		if r.Committed == nil {
			continue
		}
		out.batches += r.Committed.Batch
		for _, offsets := range r.Committed.Offsets {
			topic := map[bool]string{true: "bids", false: "auctions"}[len(offsets) == 2]
			for p, at := range offsets {
				log, err := s.Node().Broker().Partition(topic, int32(p))
				if err != nil {
					t.Fatal(err)
				}
				out.lag += max(log.Offsets().LastStable-at, 0)
			}
		}
	}
	out.disk = diskBesides(s.Node().conf.Dir, "bids", "auctions", "per_auction", "joined", "busiest", "s_counts.late", "s_joined.late", "s_busiest.late", "s_seen.late")
	return out
}

// residentBytes is the process's memory, 0 where the system does not say.
func residentBytes() int64 {
	var pages, resident int64
	b, _ := os.ReadFile("/proc/self/statm")
	if _, err := fmt.Sscan(string(b), &pages, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// openFiles is how many files the process has open, 0 where the system does not say.
func openFiles() int64 {
	names, _ := os.ReadDir("/proc/self/fd")
	return int64(len(names))
}

// diskBesides is what files take, topics that are kept whole left out.
func diskBesides(dir string, topics ...string) (n int64) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // removed meanwhile
		}
		if d.IsDir() && slices.ContainsFunc(topics, func(t string) bool {
			return d.Name() == t || strings.HasPrefix(d.Name(), t+"-") && filepath.Base(filepath.Dir(path)) == "topics"
		}) {
			return filepath.SkipDir
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// leaks says what still grows in the second half of the samples, by more than it may.
func leaks(samples []soakSample) (out []string) {
	half := samples[len(samples)/2:]
	for _, m := range []struct {
		name  string
		of    func(soakSample) int64
		slack int64   // that it may grow by in any case
		share float64 // of its median that it may grow by
	}{
		{"resident memory", func(s soakSample) int64 { return s.rss }, 48 << 20, 0.15},
		{"heap", func(s soakSample) int64 { return s.heap }, 24 << 20, 0.2},
		{"goroutines", func(s soakSample) int64 { return s.goroutines }, 20, 0.1},
		{"open files", func(s soakSample) int64 { return s.files }, 20, 0.1},
		{"disk", func(s soakSample) int64 { return s.disk }, 48 << 20, 0.25},
		{"state entries", func(s soakSample) int64 { return s.keys }, 5000, 0.15},
		{"rows behind", func(s soakSample) int64 { return s.lag }, int64(20 * *soakRate), 0},
	} {
		var values []float64
		for _, s := range half {
			values = append(values, float64(m.of(s)))
		}
		grows := slope(values) * float64(len(values)-1)
		if may := float64(m.slack) + m.share*median(slices.Clone(values)); grows > may {
			out = append(out, fmt.Sprintf("%s grew by %.0f in the second half, from about %.0f; %.0f may be", m.name, grows, values[0], may))
		}
	}
	return out
}

// slope is by how much values grow from one to the next: the median of the slopes between all pairs (Theil and Sen), which a
// few odd values do not move.
func slope(values []float64) float64 {
	var all []float64
	for i := range values {
		for j := i + 1; j < len(values); j++ {
			all = append(all, (values[j]-values[i])/float64(j-i))
		}
	}
	return median(all)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func TestLeaksAreSeen(t *testing.T) {
	var flat, growing []soakSample
	for i := range int64(40) {
		s := soakSample{rss: 300 << 20, heap: 100<<20 + i%7<<20, goroutines: 100, files: 50, disk: 100 << 20, keys: 10000}
		if i == 30 {
			s.rss *= 3 // one odd value
		}
		flat = append(flat, s)
		s.goroutines += 4 * i
		s.heap += i * 4 << 20
		growing = append(growing, s)
	}
	if got := leaks(flat); len(got) > 0 {
		t.Errorf("of what does not grow: %v", got)
	}
	if got := leaks(growing); len(got) != 2 || !strings.HasPrefix(got[0], "heap") || !strings.HasPrefix(got[1], "goroutines") {
		t.Errorf("of what grows: %v", got)
	}
}
