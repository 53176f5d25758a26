package stream

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

var (
	simSeed = flag.Int64("sim.seed", 0, "run the simulation with this seed only")
	simFor  = flag.Duration("sim.for", 0, "run the simulation with new seeds for so long")
)

// TestSimulatedCrashes runs queries against a simulated node that crashes, loses tasks, fills its disk, answers late, fences
// drivers, pauses, stops and replaces queries at random places, under random restart policies, and checks that the sink's visible rows are those of a run without faults, each once and in order within its partition.
// A failing seed is repeated by: go test ./structured/stream -run TestSimulatedCrashes -sim.seed=N
func TestSimulatedCrashes(t *testing.T) {
	if *simSeed != 0 {
		simulate(t, *simSeed)
		return
	}
	first := int64(1)
	if *simFor > 0 {
		first = time.Now().UnixNano() // another beginning each time
	}
	seed := first
	for end := time.Now().Add(*simFor); seed < first+500 || time.Now().Before(end); seed++ {
		simulate(t, seed)
		if t.Failed() {
			return
		}
	}
	t.Logf("seeds %d to %d", first, seed-1)
}

func simulate(t *testing.T, seed int64) {
	w := newWorld(seed)
	for crashes := 0; ; crashes++ {
		err := w.drive()
		w.loseMarkers()
		if r, _ := w.machine.Query("q"); err == nil && r.Status == Finished {
			break
		}
		if err == nil { // somebody stopped it
			continue
		}
		if !errors.Is(err, errCrash) && !errors.Is(err, ErrFenced) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if crashes == 60 {
			w.calm = true
		}
	}
	for p, rows := range w.source.rows {
		if got := w.visible[p]; !slices.Equal(got, rows) {
			t.Fatalf("seed %d: partition %d shows %v, want %v", seed, p, got, rows)
		}
	}
	if want, got := w.setAside(), w.visibleSide(); !slices.Equal(got, want) {
		t.Fatalf("seed %d: set aside are %v, want %v", seed, got, want)
	}
	r, _ := w.machine.Query("q")
	want := int64(w.total())
	if r.Loaded != "" {
		want += broughtOver
		if r.StateNames["agg"] != "agg@over" || string(r.Definition) != "other" {
			t.Fatalf("seed %d: the record has not what was brought over: %+v", seed, r)
		}
	}
	if w.state.committed != want {
		t.Fatalf("seed %d: state counted %d rows, want %d", seed, w.state.committed, want)
	}
}

var errCrash = errors.New("crash")

// world is a node: what survives a crash, and the dice.
type world struct {
	rnd     *rand.Rand
	calm    bool
	machine *Machine
	source  *simSource
	visible map[int][]int64
	staged  []simStaged
	state   simState
	own     *simOwn
	side    []simSide
	lives   int       // of drivers
	loadAt  int       // the life in which another version takes over
	late    []Command // entries whose senders got no answer, and that are still on their way
}

// broughtOver is what a load adds to the counting state.
const broughtOver = 1000

type simStaged struct {
	batch int64
	part  int
	rows  []int64
}

func newWorld(seed int64) *world {
	w := &world{rnd: rand.New(rand.NewSource(seed)), machine: NewMachine(), visible: map[int][]int64{}, source: &simSource{}}
	for range 1 + w.rnd.Intn(3) {
		var rows []int64
		for i := range w.rnd.Intn(40) {
			rows = append(rows, int64(i))
		}
		w.source.rows = append(w.source.rows, rows)
	}
	w.apply(Command{Query: "q", Create: &CreateCmd{ID: "id"}})
	w.loadAt = 1 + w.rnd.Intn(6)
	return w
}

func (w *world) total() (n int) {
	for _, r := range w.source.rows {
		n += len(r)
	}
	return n
}

// setAside says which rows the job sets aside: few, so that most batches stage none.
func setAside(part int, row int64) bool { return (int64(part)+row)%7 == 0 }

func sideRow(part int, row int64) int64 { return int64(part)*1000 + row }

func (w *world) setAside() (want []int64) {
	for p, rows := range w.source.rows {
		for _, row := range rows {
			if setAside(p, row) {
				want = append(want, sideRow(p, row))
			}
		}
	}
	return want
}

func (w *world) visibleSide() (got []int64) {
	for _, s := range w.side {
		if s.committed && s.row >= 0 {
			got = append(got, s.row)
		}
	}
	slices.Sort(got)
	return got
}

// dice crashes now and then, or finds the disk full.
func (w *world) dice() error {
	if w.calm {
		return nil
	}
	switch w.rnd.Intn(30) {
	case 0, 1:
		return errCrash
	case 2:
		return usererr.New(connector.DiskFull, "53100", "The disk is full.")
	}
	return nil
}

// meddle is what a user does to a query while it runs.
func (w *world) meddle(l *Loop) {
	r, _ := w.machine.Query("q")
	switch n := w.rnd.Intn(60); {
	case r.Paused && (w.calm || n < 30), !r.Paused && !w.calm && n == 0:
		pause := !r.Paused
		w.apply(Command{Query: "q", Pause: &pause})
	case !w.calm && n == 1:
		l.Stop()
	}
	if r, _ := w.machine.Query("q"); r.Paused {
		l.Wake() // it holds, and must look again
	}
}

func (w *world) apply(c Command) Reply {
	b, _ := json.Marshal(c)
	out, err := w.machine.Apply(b)
	if err != nil {
		panic(err)
	}
	// What a snapshot holds must be enough to go on.
	if w.rnd.Intn(4) == 0 {
		m := NewMachine()
		if err := m.Restore(w.machine.Snapshot()); err != nil {
			panic(err)
		}
		w.machine = m
	}
	var r Reply
	if err := json.Unmarshal(out, &r); err != nil {
		panic(err)
	}
	return r
}

// drive runs one life of a driver.
func (w *world) drive() error {
	w.source.arrive(w.rnd)
	w.restoreState()
	w.own = &simOwn{w: w}
	spec := &Spec{Name: "q", Job: &simJob{w}, MaxRows: int64(w.rnd.Intn(6)), FixRanges: w.rnd.Intn(2) == 0,
		Sources:    []Source{{ID: "src", Reader: w.source}},
		Watermarks: []WatermarkOp{{ID: "wm", Delay: 3, Parts: len(w.source.rows)}}, Stateful: []string{"agg"}, Restart: w.policy(),
		Sinks: []Sink{{ID: "sink", Sink: &simSink{w}}}, Own: w.own}
	if w.lives++; w.lives >= w.loadAt {
		spec.Load = &StateLoad{ID: "over", Run: w.bringOver}
	}
	if w.rnd.Intn(4) == 0 {
		spec.TargetLatency = time.Nanosecond // the smallest batches that the pace allows
	}
	var l *Loop
	l = NewLoop(spec, &simLog{w}, &w.state, func() (Record, bool) { w.meddle(l); return w.machine.Query("q") })
	l.Logger = slog.New(slog.DiscardHandler)
	l.pause = func(context.Context, time.Duration) {}
	return l.Run(context.Background())
}

// policy is a restart policy; under some the first failure is a crash.
func (w *world) policy() Restart {
	return []Restart{{Strategy: RestartNone}, {}, {Strategy: RestartFixed, Attempts: 2}, {Strategy: RestartRate, Attempts: 3, Interval: time.Hour}}[w.rnd.Intn(4)]
}

// restoreState is what the changelog does when a driver starts: state is at the committed version.
func (w *world) restoreState() {
	w.state = simState{w: w}
	if r, _ := w.machine.Query("q"); r.Committed != nil {
		w.state.version = r.Committed.Batch + 1
		for _, o := range r.Committed.Offsets["src"] {
			w.state.committed += o
		}
		if r.Loaded != "" {
			w.state.committed += broughtOver
		}
	}
}

// bringOver is a load of another version that reads on where the old one was.
func (w *world) bringOver(_ context.Context, _ connector.Tx, r *Record, _ func(string, int, []byte) error) (*Commit, error) {
	w.state.open, w.state.begun = w.state.open+broughtOver, true
	w.own.stage(-1)
	if err := w.dice(); err != nil {
		return nil, err
	}
	c := &Commit{Offsets: map[string]connector.Offsets{"src": r.From("src")}, Load: &Loaded{Definition: []byte("other"), StateNames: map[string]string{"agg": "agg@over"}}}
	if r.Committed != nil {
		c.Clocks, c.Watermarks = r.Committed.Clocks, r.Committed.Watermarks
	}
	return c, nil
}

// simLog replicates, and may crash before or after the entry is in the log.
type simLog struct{ w *world }

func (l *simLog) send(c Command) (Reply, error) {
	w := l.w
	for len(w.late) > 0 && w.rnd.Intn(2) == 0 { // it arrives at last, before or after what somebody else has sent since
		w.apply(w.late[0])
		w.late = w.late[1:]
	}
	if err := w.dice(); err != nil {
		return Reply{}, err
	}
	if !w.calm && c.Claim == nil && w.rnd.Intn(40) == 0 {
		w.late = append(w.late, c)
		return Reply{}, errCrash
	}
	if !w.calm && c.Claim == nil && w.rnd.Intn(50) == 0 {
		w.apply(Command{Query: "q", Claim: &ClaimCmd{}}) // another driver, which does nothing more
	}
	r := w.apply(c)
	if err := l.w.dice(); err != nil {
		return Reply{}, err
	}
	if r.Refused != "" {
		return r, fmt.Errorf("%w (%s)", ErrFenced, r.Refused)
	}
	return r, nil
}

func (l *simLog) Claim(_ context.Context, name string, start map[string]connector.Offsets) (Record, error) {
	so := map[string][]int64{}
	for k, v := range start {
		so[k] = v
	}
	if start == nil {
		so = nil
	}
	r, err := l.send(Command{Query: name, Claim: &ClaimCmd{StartOffsets: so}})
	if err != nil {
		return Record{}, err
	}
	return *r.Record, nil
}

func (l *simLog) Plan(_ context.Context, name string, p Planned) error {
	_, err := l.send(Command{Query: name, Plan: &p})
	return err
}

func (l *simLog) Commit(_ context.Context, name string, c Commit) error {
	_, err := l.send(Command{Query: name, Commit: &c})
	return err
}

func (l *simLog) SetStatus(_ context.Context, name string, s StatusCmd) error {
	if s.Status != Failed { // a failed loop is a crash here, and a crash does nothing more
		l.w.syncSide() // as the driver does: nobody publishes again what is over
	}
	_, err := l.send(Command{Query: name, Status: &s})
	return err
}

// simSource has rows that arrive a few at a time and ends when all have.
type simSource struct {
	connector.StreamReader
	rows  [][]int64
	have  []int64
	waits bool // for the next look
}

func (s *simSource) Name() string { return "src" }

func (s *simSource) arrive(rnd *rand.Rand) {
	if s.have == nil {
		s.have = make([]int64, len(s.rows))
	}
	for p := range s.have {
		s.have[p] = min(s.have[p]+int64(rnd.Intn(8)), int64(len(s.rows[p])))
	}
}

func (s *simSource) Begin(context.Context, connector.Start) (connector.Offsets, error) {
	return make(connector.Offsets, len(s.rows)), nil
}

// Available lets another row arrive in each partition now and then: here, and not in Wait, which runs beside the loop.
func (s *simSource) Available(context.Context) (connector.Availability, error) {
	for p := range s.have {
		if s.waits {
			s.have[p] = min(s.have[p]+1, int64(len(s.rows[p])))
		}
	}
	s.waits = !s.waits
	a := connector.Availability{End: append(connector.Offsets{}, s.have...), Ended: true}
	for p := range s.have {
		a.Ended = a.Ended && s.have[p] == int64(len(s.rows[p]))
	}
	return a, nil
}

func (s *simSource) Wait(context.Context, connector.Offsets) error { return nil }

func (s *simSource) Bind(from, to connector.Offsets) [][]rdd.Split {
	out := make([][]rdd.Split, len(to))
	for p := range to {
		for _, r := range s.rows[p][from[p]:to[p]] {
			out[p] = append(out[p], rdd.Split{Rows: r})
		}
	}
	return out
}

// simJob stages the bound rows and may fail with part of them staged.
type simJob struct{ w *world }

func (j *simJob) Run(_ context.Context, r JobRun) (*RunResult, error) {
	res := &RunResult{}
	j.w.state.begun = true
	for p, splits := range r.Binding.Splits["src"] {
		var rows []int64
		for _, s := range splits {
			rows = append(rows, s.Rows)
		}
		clock := r.Binding.PartitionClocks["wm"][p]
		for _, row := range rows {
			clock = max(clock, row)
		}
		for _, row := range rows {
			if setAside(p, row) {
				j.w.own.stage(sideRow(p, row))
			}
		}
		if len(rows) > 0 {
			j.w.staged = append(j.w.staged, simStaged{r.Binding.Batch, p, rows})
		}
		j.w.state.open += int64(len(rows))
		if err := j.w.dice(); err != nil {
			return nil, err
		}
		value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, uint32(p)), uint64(clock))
		res.Tasks = append(res.Tasks, &rdd.TaskResult{Partition: p, Reports: []rdd.Report{{Op: "wm", Key: ClockKey, Value: value},
			{Op: "sink", Key: connector.TokenKey, Value: []byte{byte(p)}}}})
	}
	if b := r.BeforeStage(1, res.Tasks); b.Watermarks["agg"] < r.Binding.LastWatermarks["agg"] {
		return nil, fmt.Errorf("watermark went back from %d to %d", r.Binding.LastWatermarks["agg"], b.Watermarks["agg"])
	}
	return res, nil
}

// simState counts rows: an aggregate whose only state is a number.
type simState struct {
	w               *world
	open, committed int64
	version         int64
	begun           bool // a batch has run here since the last commit or abort
}

// Commit of a batch that did not run here, but in an earlier life whose entry arrived late, takes it from the changelog.
func (s *simState) Commit(_ string, version int64) error {
	if version >= s.version && !s.begun {
		s.w.restoreState()
		return nil
	}
	s.begun = false
	if version >= s.version {
		s.committed, s.open, s.version = s.committed+s.open, 0, version+1
	}
	return nil
}

func (s *simState) Abort(string) error { s.open, s.begun = 0, false; return nil }

// simSink shows staged rows when published and forgets them when aborted.
type simSink struct{ w *world }

func (s *simSink) Op() rdd.Operator  { return nil }
func (s *simSink) Guarantee() string { return "" }
func (s *simSink) Begin(context.Context, connector.Tx) (map[string]string, error) {
	return nil, s.w.dice()
}

func (s *simSink) Publish(_ context.Context, tx connector.Tx, tokens [][]byte) error {
	for _, g := range s.w.staged {
		if g.batch == tx.Batch {
			s.w.visible[g.part] = append(s.w.visible[g.part], g.rows...)
		}
	}
	s.w.staged = slices.DeleteFunc(s.w.staged, func(g simStaged) bool { return g.batch == tx.Batch })
	return s.w.dice()
}

func (s *simSink) Abort(_ context.Context, tx connector.Tx) error {
	if err := s.w.dice(); err != nil {
		return err
	}
	s.w.staged = nil
	return nil
}

// simOwn is a query log over a log like the node's: what is staged is synced, and everything before it; the marker that
// commits it is not, until something else is. A crash takes the markers that were not synced.
type simOwn struct {
	w    *world
	open []simSide // staged by the batch that runs
}

// simSide is a row in the log of set-aside rows.
type simSide struct {
	row       int64
	committed bool // its marker is in the log
	synced    bool // and on disk
}

func (o *simOwn) Op() rdd.Operator  { return nil }
func (o *simOwn) Guarantee() string { return "" }
func (o *simOwn) Begin(context.Context, connector.Tx) (map[string]string, error) {
	o.open = nil
	return nil, nil
}

func (o *simOwn) Stage(connector.Tx, string, *column.Batch) error    { return nil }
func (o *simOwn) StageState(connector.Tx, string, int, []byte) error { return nil }
func (o *simOwn) stage(row int64)                                    { o.open = append(o.open, simSide{row: row}) }

// Flush appends what was staged; its token is where it ends.
func (o *simOwn) Flush(context.Context, connector.Tx) ([]byte, error) {
	if len(o.open) == 0 {
		return nil, o.w.dice()
	}
	o.w.side = append(o.w.side, o.open...)
	o.w.syncSide()
	return binary.AppendUvarint(nil, uint64(len(o.w.side))), o.w.dice()
}

func (o *simOwn) Publish(_ context.Context, _ connector.Tx, tokens [][]byte) error {
	for _, t := range tokens {
		end, _ := binary.Uvarint(t)
		for i := range o.w.side[:end] {
			o.w.side[i].committed = true
		}
	}
	return o.w.dice()
}

func (o *simOwn) Abort(context.Context, connector.Tx) error {
	o.w.side = slices.DeleteFunc(o.w.side, func(s simSide) bool { return !s.committed })
	return o.w.dice()
}

// syncSide puts the markers on disk.
func (w *world) syncSide() {
	for i := range w.side {
		w.side[i].synced = w.side[i].committed
	}
}

// loseMarkers is what a crash does to them.
func (w *world) loseMarkers() {
	for i := range w.side {
		w.side[i].committed = w.side[i].synced
	}
}
