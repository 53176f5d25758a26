package streamflow

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/process"
	"github.com/streamflow/streamflow/structured/stream"
)

var (
	killEvery = flag.Int("kill.every", 0, "take a crash image at one operation on files in so many, 1 for each; 0 is six in all")
	killSeed  = flag.Uint64("kill.seed", 0, "of the rows, the kill points, and what a crash leaves; 0 is another one each time")
)

// running is a streaming query of the kill tests: where its rows go, and how the answer is read from there and from history.
type running struct {
	name    string
	columns string // of the sink
	with    string // of the query: its output mode
	sink    string // a topic's options, or the format of a directory of files
	text    string
	answer  string // reads the sink's rows as the result that they mean; %s is the table
}

const asChanges = "SELECT * EXCEPT (w) FROM (SELECT * EXCEPT (_op, w), sum(w) AS w FROM (SELECT *, CASE WHEN _op IN ('+I', '+U') THEN 1 ELSE -1 END AS w FROM %s) GROUP BY ALL) WHERE w <> 0"

// killQueries has one of each kind of operator that keeps state, and of each kind of sink that lasts.
var killQueries = []running{
	{name: "counts", columns: "w TIMESTAMP, item STRING, n BIGINT, total BIGINT", text: "SELECT window(ts, '1 minute').start AS w, item, count(*) AS n, sum(n) AS total FROM orders GROUP BY window(ts, '1 minute'), item"},
	{name: "filed", columns: "w TIMESTAMP, item STRING, total BIGINT", sink: "parquet", text: "SELECT window(ts, '2 minutes').start AS w, item, sum(n) AS total FROM orders GROUP BY window(ts, '2 minutes'), item"},
	{name: "pairs", columns: "item STRING, n INT, by STRING", text: "SELECT o.item, o.n, s.by FROM orders o LEFT JOIN shipments s ON o.item = s.item AND s.ts BETWEEN o.ts AND o.ts + INTERVAL 2 MINUTES"},
	{name: "totals", columns: "item STRING, n BIGINT, total BIGINT", with: "OUTPUT MODE update", text: "SELECT item, count(*) AS n, sum(n) AS total FROM orders GROUP BY item",
		answer: "SELECT item, max_by(n, _offset) AS n, max_by(total, _offset) AS total FROM (SELECT *, _offset FROM %s) GROUP BY item"},
	{name: "firsts", columns: "item STRING, n INT, ts TIMESTAMP, _op STRING", sink: "changelog 'true'", with: "OUTPUT MODE update",
		text: "SELECT item, n, ts FROM (SELECT *, row_number() OVER (PARTITION BY item, n ORDER BY ts) AS r FROM orders) WHERE r = 1", answer: asChanges},
	{name: "best", columns: "item STRING, r INT, n INT, ts TIMESTAMP, _op STRING", sink: "changelog 'true'", with: "OUTPUT MODE update",
		text: "SELECT item, r, n, ts FROM (SELECT *, row_number() OVER (PARTITION BY item ORDER BY n DESC, ts DESC) AS r FROM orders) WHERE r <= 3", answer: asChanges},
	{name: "falls", columns: "item STRING, a INT, b INT", text: `SELECT item, a, b FROM orders MATCH_RECOGNIZE (PARTITION BY item ORDER BY ts, n MEASURES a.n AS a, last(b.n) AS b
		PATTERN (a b+) WITHIN INTERVAL 3 MINUTES DEFINE b AS n < a.n)`},
	{name: "tallied", columns: "item STRING, n BIGINT, until TIMESTAMP"},
}

// history is the query as a program over history, and as the sink's columns.
func (r *running) history() string { return r.text }

func (r *running) start(t *testing.T, s *LocalSession) {
	t.Helper()
	if r.text == "" {
		q := s.ReadStream().Table("orders").KeyBy("item").OrderBy("ts").Process("tally").WriteStream().QueryName(r.name).From("beginning")
		if _, err := q.ToTable(context.Background(), r.name+"_out"); err != nil {
			t.Fatal(err)
		}
		return
	}
	query(t, s.Session, fmt.Sprintf("CREATE STREAMING QUERY %s %s START FROM BEGINNING AS INSERT INTO %s_out %s", r.name, r.with, r.name, r.text))
}

func (r *running) read(t *testing.T, s *LocalSession) string {
	t.Helper()
	text := "SELECT * FROM %s"
	if r.answer != "" {
		text = r.answer
	}
	return sorted(strings.Split(query(t, s.Session, fmt.Sprintf(text, r.name+"_out")), "\n"))
}

// side reads what the query has set aside for a reason.
func (r *running) side(t *testing.T, s *LocalSession, side string) string {
	t.Helper()
	for _, topic := range s.Node().Broker().Topics() {
		if topic.Name == r.name+"."+side {
			return sorted(strings.Split(query(t, s.Session, "SELECT value FROM `"+topic.Name+"`"), "\n"))
		}
	}
	return ""
}

// tally counts the rows of an item and tells when no row has come for a minute of event time.
type tally struct {
	rows  process.Value[int64]
	until process.Value[time.Time]
}

type ordered struct {
	Item string
	N    int32
	Ts   time.Time
}

type tallied struct {
	Item  string
	N     int64
	Until time.Time
}

func (p *tally) Open(s *process.State) {
	p.rows, p.until = process.NewValue[int64](s, "rows"), process.NewValue[time.Time](s, "until")
}

func (p *tally) Row(c *process.Context[string], r ordered, _ process.Collector[tallied]) error {
	n, _ := p.rows.Get()
	p.rows.Put(n + 1)
	last, ok := p.until.Get()
	if at := r.Ts.Add(time.Minute); !ok || at.After(last) {
		if ok {
			c.DropTimer(process.EventTime, last)
		}
		p.until.Put(at)
		c.SetTimer(process.EventTime, at)
	}
	return nil
}

func (p *tally) Timer(c *process.Context[string], _ process.TimerKind, out process.Collector[tallied]) error {
	n, _ := p.rows.Get()
	last, _ := p.until.Get()
	p.rows.Clear()
	p.until.Clear()
	return out(tallied{c.Key(), n, last})
}

func init() {
	process.Register("tally", func() process.Function[string, ordered, tallied] { return &tally{} })
}

// killed is what the kill tests run: rows that come by and by, queries over them, and images of crashes.
type killed struct {
	t      *testing.T
	seed   uint64
	rows   map[string][][]string // by topic and partition
	mu     sync.Mutex
	rnd    *rand.Rand
	every  int // one operation on files of so many is a kill point, on the average
	seen   int
	next   int // operation that is a kill point
	most   int // images of a run
	images int
	files  *vfs.Shadow
	dir    string // of the node; images lie beside it, and move there: a table of files is known by its path
	taken  []string
	what   map[string]string // by image: the operation that did not happen
	wrong  error
}

func newKilled(t *testing.T, seed uint64) *killed {
	k := &killed{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 7)), rows: map[string][][]string{"orders": make([][]string, 2), "shipments": make([][]string, 1)}, what: map[string]string{}}
	for i := range 240 {
		minute, item := i/20, string(rune('a'+k.rnd.IntN(4)))
		if k.rnd.IntN(12) == 0 {
			minute -= 3 // late where the window has closed
		}
		row := order(max(minute, 0), k.rnd.IntN(60), item, k.rnd.IntN(6))
		if k.rnd.IntN(40) == 0 {
			row = "{broken"
		}
		p := k.rnd.IntN(2)
		k.rows["orders"][p] = append(k.rows["orders"][p], row)
		if i%3 == 0 {
			k.rows["shipments"][0] = append(k.rows["shipments"][0], fmt.Sprintf(shipped, minute, k.rnd.IntN(60), item, fmt.Sprint("van ", i)))
		}
	}
	return k
}

// open starts the node, whose files change early and often.
func (k *killed) open(files vfs.FS) *LocalSession {
	k.t.Helper()
	s, err := Local(Config{Dir: k.dir, FS: files, Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler), StateInterval: 15 * time.Millisecond,
		Log: logstore.Options{WALFileSize: 256 << 10, FlushBytes: 8 << 10, CheckpointFiles: 2, FlushInterval: 5 * time.Millisecond}})
	if err != nil {
		k.fail("open: %v", err)
	}
	return s
}

func (k *killed) fail(format string, args ...any) {
	k.t.Helper()
	k.t.Fatalf("%s\nrepeat with: go test . -run '%s$' -kill.seed=%d", fmt.Sprintf(format, args...), k.t.Name(), k.seed)
}

// prepare makes the tables and starts the queries.
func (k *killed) prepare() {
	s := k.open(nil)
	query(k.t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '2')")
	query(k.t, s.Session, "CREATE TABLE shipments (ts TIMESTAMP, item STRING, by STRING, WATERMARK FOR ts AS ts - INTERVAL 2 MINUTES) USING topic OPTIONS (partitions '1')")
	query(k.t, s.Session, "SET streamflow.state.unbounded = allow")
	for _, q := range killQueries {
		if q.sink == "parquet" {
			query(k.t, s.Session, fmt.Sprintf("CREATE TABLE %s_out (%s) USING parquet", q.name, q.columns))
		} else {
			query(k.t, s.Session, fmt.Sprintf("CREATE TABLE %s_out (%s) USING topic OPTIONS (partitions '1'%s)", q.name, q.columns, strings.TrimSuffix(", "+q.sink, ", ")))
		}
		q.start(k.t, s)
	}
	k.close(s)
}

func (k *killed) close(s *LocalSession) {
	k.t.Helper()
	if err := s.Close(); err != nil {
		k.fail("close: %v", err)
	}
}

// feed sends the rows that a node does not have yet, seals the topics, and waits for the queries to end.
func (k *killed) feed(s *LocalSession) {
	k.t.Helper()
	at := map[string][]int{}
	for topic, parts := range k.rows {
		at[topic] = make([]int, len(parts))
		for p := range parts {
			log, err := s.Node().Broker().Partition(topic, int32(p))
			if err != nil {
				k.fail("%v", err)
			}
			at[topic][p] = int(log.Offsets().HighWatermark)
		}
	}
	for left := true; left; {
		left = false
		for _, topic := range []string{"orders", "shipments"} {
			for p, rows := range k.rows[topic] {
				from := at[topic][p]
				to := min(from+16, len(rows))
				if from < to {
					k.produce(s, topic, int32(p), rows[from:to])
					at[topic][p], left = to, true
				}
			}
		}
		time.Sleep(3 * time.Millisecond)
	}
	seal(k.t, s, "orders")
	seal(k.t, s, "shipments")
	deadline := time.Now().Add(60 * time.Second)
	for _, q := range killQueries {
		for {
			r, _ := s.Node().Queries().Query(q.name)
			if r.Status == stream.Finished {
				break
			}
			if r.Status == stream.Failed || time.Now().After(deadline) {
				k.fail("query %s is %s in batch %d: %s", q.name, r.Status, r.NextBatch(), r.Error)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// produce appends rows, when the disk is full as soon as there is room.
func (k *killed) produce(s *LocalSession, topic string, partition int32, rows []string) {
	k.t.Helper()
	p, err := s.Node().Broker().Partition(topic, partition)
	if err != nil {
		k.fail("%v", err)
	}
	b := record.NewBuilder(record.None)
	for _, v := range rows {
		b.Add(time.Now().UnixMilli(), nil, []byte(v))
	}
	batch, err := b.AppendBatch(nil)
	for err == nil || errors.Is(err, logstore.ErrDiskFull) {
		if _, err = p.Append(logstore.AppendRequest{Data: slices.Clone(batch)}).Wait(context.Background()); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	k.fail("%v", err)
}

// answers are the results of all queries, and what they set aside.
func (k *killed) answers(s *LocalSession) map[string]string {
	k.t.Helper()
	out := map[string]string{}
	for i := range killQueries {
		q := &killQueries[i]
		out[q.name] = q.read(k.t, s)
		for _, side := range []string{"late", "dead"} {
			out[q.name+"."+side] = q.side(k.t, s, side)
		}
	}
	return out
}

// history are the results of programs over history.
func (k *killed) history(s *LocalSession) map[string]string {
	k.t.Helper()
	ctx, out := context.Background(), map[string]string{}
	for _, q := range killQueries {
		var d *structured.DataFrame
		var err error
		if q.text == "" {
			d = s.Table("orders").KeyBy("item").OrderBy("ts").Process("tally")
		} else if d, err = s.SQL(ctx, q.text); err != nil {
			k.fail("%s: %v", q.name, err)
		}
		rows, err := d.Over(structured.RunOptions{Name: "history_" + q.name}).Rows(ctx, structured.ExecOptions{})
		if err != nil {
			k.fail("%s: %v", q.name, err)
		}
		lines, _ := drain(k.t, rows)
		name := "history_" + q.name + "_out"
		query(k.t, s.Session, fmt.Sprintf("CREATE TABLE %s (%s) USING topic OPTIONS (partitions '1')", name, strings.TrimSuffix(q.columns, ", _op STRING")))
		produce(k.t, s, name, 0, lines...)
		h := running{name: "history_" + q.name}
		out[q.name] = h.read(k.t, s)
		for _, side := range []string{"late", "dead"} {
			out[q.name+"."+side] = h.side(k.t, s, side)
		}
	}
	return out
}

// hook takes an image before an operation that changes files.
func (k *killed) hook(op vfs.Op, name string) error {
	switch op {
	case vfs.OpRead, vfs.OpReadDir, vfs.OpOpen:
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if k.seen < k.next || len(k.taken) >= k.most {
		return nil
	}
	k.next = k.seen + 1 + k.rnd.IntN(2*k.every-1)
	r := k.rnd
	if k.rnd.IntN(2) == 0 {
		r = nil // exactly what was synced
	}
	k.images++
	image := fmt.Sprintf("%s-%d", k.dir, k.images)
	if err := k.files.Image(r, k.dir, image); err != nil && k.wrong == nil {
		k.wrong = err
	}
	rel, _ := filepath.Rel(k.dir, name)
	k.taken = append(k.taken, image)
	k.what[image] = fmt.Sprintf("before %s of %s (operation %d)", op, rel, k.seen)
	return nil
}

// revive puts an image in the place of the node.
func (k *killed) revive(image string) {
	k.t.Helper()
	err := os.RemoveAll(k.dir)
	if err == nil {
		err = os.Rename(image, k.dir)
	}
	if err != nil {
		k.fail("%v", err)
	}
}

// run lets the node come to its end, and takes images of one operation in every, as many as most.
func (k *killed) run(every, most int) (got map[string]string, images []string) {
	k.t.Helper()
	k.mu.Lock()
	k.files, k.every, k.most, k.taken = vfs.NewShadow(), every, most, nil
	k.seen, k.next = 0, 1+k.rnd.IntN(every)
	k.mu.Unlock()
	s := k.open(&vfs.Fault{FS: k.files, Hook: k.hook})
	k.feed(s)
	k.mu.Lock()
	images = k.taken
	k.most = 0
	if k.wrong != nil {
		k.fail("image: %v", k.wrong)
	}
	k.mu.Unlock()
	got = k.answers(s)
	k.close(s)
	return got, images
}

// TestKillPoints loses power at operations on files while queries with each kind of state and of sink run, and now and then
// again while a node that has come back runs: whatever the disk then has, nothing is lost, doubled or changed.
func TestKillPoints(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	k := newKilled(t, seed)
	k.dir = filepath.Join(t.TempDir(), "node")
	k.prepare()
	every, most := 300, 6
	if *killEvery > 0 {
		every, most = *killEvery, 1<<30
	}
	live, images := k.run(every, most)
	s := k.open(nil)
	want := k.history(s)
	k.close(s)
	k.compare("without a crash", live, want)
	t.Logf("seed %d: %d operations, %d images", seed, k.seen, len(images))
	for i, image := range images {
		again := 0
		if i%3 == 0 {
			again = 1
		}
		what := k.what[image]
		k.revive(image)
		got, second := k.run(200, again)
		k.compare(what, got, want)
		for _, image := range second {
			k.revive(image)
			got, _ := k.run(1, 0)
			k.compare(what+", and then "+k.what[image], got, want)
		}
	}
}

// TestFullDiskUnderQueries fills the disk and makes room again while queries run: they wait and go on.
func TestFullDiskUnderQueries(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	k := newKilled(t, seed)
	k.dir = filepath.Join(t.TempDir(), "node")
	k.prepare()
	files := vfs.NewShadow()
	s := k.open(files)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 4 {
			time.Sleep(time.Duration(10+seed%40) * time.Millisecond)
			files.Fill(true)
			time.Sleep(80 * time.Millisecond)
			files.Fill(false)
		}
	}()
	k.feed(s)
	<-done
	live := k.answers(s)
	want := k.history(s)
	k.close(s)
	k.compare("on a disk that was full at times", live, want)
}

// TestFailingWrites fails operations on the files of a query's sink now and then: its batches are tried again.
func TestFailingWrites(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	k := newKilled(t, seed)
	k.dir = filepath.Join(t.TempDir(), "node")
	k.prepare()
	failures := 0
	s := k.open(&vfs.Fault{FS: vfs.OS, Hook: func(op vfs.Op, name string) error {
		if !strings.Contains(name, "/filed_out/") {
			return nil
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.rnd.IntN(20) != 0 && failures > 0 { // one at the least
			return nil
		}
		failures++
		return fmt.Errorf("%s %s: %w", op, name, syscall.EIO)
	}})
	k.feed(s)
	live := k.answers(s)
	want := k.history(s)
	k.close(s)
	k.compare(fmt.Sprintf("with %d failed operations", failures), live, want)
}

func (k *killed) compare(what string, got, want map[string]string) {
	k.t.Helper()
	for name, w := range want {
		if g := got[name]; g != w {
			k.fail("%s: %s gives\n%s\nwant\n%s", what, name, g, w)
		}
	}
}
