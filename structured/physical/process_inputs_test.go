package physical

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/process"
)

// rule says from when on a value is too large for a key.
type rule struct {
	K  int32
	V  int64
	Ts time.Time
}

// opening is what a key begins with.
type opening struct{ N int64 }

// ruled counts rows that rules let pass, beginning with what an initial table says, and tells of the others.
type ruled struct {
	passed process.Value[int64]
	rules  process.Broadcast[int32, int64]
}

func (r *ruled) Open(s *process.State) {
	r.passed = process.NewValue[int64](s, "passed", process.TTL(40*time.Second))
	r.rules = process.NewBroadcast[int32, int64](s, "rules")
}

func (r *ruled) Initial(c *process.Context[int32], o opening) error {
	n, _ := r.passed.Get()
	r.passed.Put(n + o.N)
	c.SetTimer(process.EventTime, time.Unix(30, 0))
	return nil
}

func (r *ruled) Broadcast(x rule) error {
	if x.V < 10 {
		r.rules.Remove(x.K)
	} else {
		r.rules.Put(x.K, x.V)
	}
	return nil
}

func (r *ruled) Row(c *process.Context[int32], e event, out process.Collector[told]) error {
	k := c.Key()
	n, _ := r.passed.Get()
	if limit, ok := r.rules.Get(k); ok && e.V > limit {
		return out(told{&k, c.Time(), "over", n*1000 + limit})
	}
	r.passed.Put(n + 1)
	if n%5 == 0 {
		c.SetTimer(process.EventTime, c.Time().Add(7*time.Second))
	}
	return nil
}

func (r *ruled) Timer(c *process.Context[int32], _ process.TimerKind, out process.Collector[told]) error {
	k := c.Key()
	n, _ := r.passed.Get()
	limit, _ := r.rules.Get(k)
	return out(told{&k, c.Time(), "timer", n*1000 + limit})
}

// meddler changes rules where it may not.
type meddler struct{ ruled }

func (m *meddler) Row(c *process.Context[int32], e event, _ process.Collector[told]) error {
	m.rules.Put(c.Key(), e.V)
	return nil
}

func init() {
	both := []process.Input{process.WithInitial[int32, opening](), process.WithBroadcast[rule]()}
	process.Register("ruled", func() process.Function[int32, event, told] { return &ruled{} }, both...)
	process.Register("meddler", func() process.Function[int32, event, told] { return &meddler{} }, process.WithBroadcast[rule]())
}

const (
	ruledKeyed   = "TABLE(SELECT k, ts, v FROM STREAM events WATERMARK ts DELAY INTERVAL 20 SECONDS WHERE k IS NOT NULL) PARTITION BY k ORDER BY ts"
	ruledInitial = "INITIAL TABLE(SELECT * FROM VALUES (1, 100L), (2, 200L), (2, 50L), (77, 700L) AS t(k, n)) PARTITION BY k"
	ruledRules   = "BROADCAST TABLE(SELECT k, v, ts FROM STREAM rules WATERMARK ts DELAY INTERVAL 5 SECONDS WHERE k IS NOT NULL) ORDER BY ts"
)

// TestProcessInputs: a function with initial state and broadcast rules does the same over history and live.
func TestProcessInputs(t *testing.T) {
	in := tables{"events": events(t, 250, 12), "rules": events(t, 60, 4)}
	rows := strings.Join(metamorphic(t, "SELECT * FROM ruled("+ruledKeyed+", "+ruledInitial+", "+ruledRules+")", in, Options{}), "\n")
	for what, least := range map[string]int{" over ": 10, " timer ": 10, "77 ": 1, " 700": 1} {
		if strings.Count(rows, what) < least {
			t.Errorf("less than %d of %q in\n%s", least, what, rows)
		}
	}
}

// TestProcessInputsLeaveNothing: when the input has ended nothing is kept, neither of keys nor of rules.
func TestProcessInputsLeaveNothing(t *testing.T) {
	in := tables{"events": events(t, 100, 12), "rules": events(t, 60, 4)}
	r := newLiveRun(t, "SELECT * FROM ruled("+ruledKeyed+", "+ruledInitial+", "+ruledRules+")", in, Options{}, 2)
	r.cut, r.rng = 20, rand.New(rand.NewPCG(1, 3))
	r.toEnd()
	for id, s := range r.runner.state {
		for _, b := range []int64{foreverBucket, sharedBucket} {
			if err := s.(rdd.State).Scan(b, func(_ int, key, _ []byte) bool {
				t.Errorf("%s: bucket %d still has %x", id, b, key)
				return true
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestProcessInputsRefused: inputs that a function has not, or that do not go together, say so.
func TestProcessInputsRefused(t *testing.T) {
	in := tables{"events": events(t, 20, 12), "rules": events(t, 20, 4)}
	for q, want := range map[string]string{
		"ruled(" + ruledKeyed + ", " + ruledRules + ")":                                                                                                     "Add INITIAL TABLE",
		"meddler(" + ruledKeyed + ", " + ruledInitial + ", " + ruledRules + ")":                                                                             "takes no INITIAL TABLE",
		"meddler(" + ruledKeyed + ", BROADCAST TABLE rules ORDER BY ts)":                                                                                    "Read both as streams",
		"meddler(" + ruledKeyed + ", " + strings.TrimSuffix(ruledRules, " ORDER BY ts") + ")":                                                               "do not come in the same order",
		"ruled(" + ruledKeyed + ", INITIAL TABLE STREAM rules PARTITION BY k, " + ruledRules + ")":                                                          "UNRESOLVED_COLUMN",
		"ruled(" + ruledKeyed + ", INITIAL TABLE(SELECT k, count(*) AS n FROM STREAM events GROUP BY k) PARTITION BY k, " + ruledRules + ")":                "does not end",
		"ruled(" + ruledKeyed + ", INITIAL TABLE(SELECT 1 AS k, 2 AS n) PARTITION BY k, n, " + ruledRules + ")":                                             "names 2",
		"ruled(" + ruledKeyed + ", " + ruledInitial + ", BROADCAST TABLE(SELECT k, ts FROM STREAM rules WATERMARK ts DELAY INTERVAL 1 SECOND) ORDER BY ts)": "UNRESOLVED_COLUMN",
	} {
		l, err := fromSQL("SELECT * FROM "+q, in)
		if err == nil {
			_, err = Plan(t.Context(), l, Options{Streaming: true, Query: "q"})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", q, err, want)
		}
	}
	r := newLiveRun(t, "SELECT * FROM meddler("+ruledKeyed+", "+ruledRules+")", in, Options{}, 1)
	r.cut, r.rng = 1000, rand.New(rand.NewPCG(1, 3))
	var err error
	for ended := false; !ended && err == nil; {
		var b *rdd.Binding
		b, ended = r.next()
		_, err = r.runner.run(r.root, b)
		r.clocks = nextClocks(t, r.clocks, r.runner.reports)
		r.batch++
	}
	if err == nil || !strings.Contains(err.Error(), "broadcast state is changed") {
		t.Errorf("a row that changes rules: %v", err)
	}
}
