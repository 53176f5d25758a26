package physical

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
)

var (
	randomFor  = flag.Duration("metamorphic", 0, "run random streaming queries for so long; 0 is a few of fixed seeds")
	randomSeed = flag.Uint64("metamorphic.seed", 0, "of the only random query that is run")
)

// streamSQL writes random streaming queries. Each relation has the columns a and b, so that any stands below any other; none
// depends on the order of equal rows.
type streamSQL struct{ rnd *rand.Rand }

func (g *streamSQL) of(choices ...string) string { return choices[g.rnd.IntN(len(choices))] }

// relation is a query of at most a depth.
func (g *streamSQL) relation(depth int) string {
	if depth == 0 {
		return g.rows()
	}
	in := func() string { return g.relation(g.rnd.IntN(depth)) }
	switch g.rnd.IntN(11) {
	case 0, 1:
		return fmt.Sprintf("SELECT a, %s AS b FROM (%s) GROUP BY a%s", g.aggregate(), in(), g.of("", "", " HAVING count(*) > 2"))
	case 2:
		return fmt.Sprintf("SELECT b AS a, count(*) AS b FROM (%s) GROUP BY b", in())
	case 3:
		return fmt.Sprintf("SELECT DISTINCT a, b FROM (%s)", in())
	case 4, 5:
		return fmt.Sprintf("SELECT a, b FROM (SELECT a, b, %s() OVER (PARTITION BY a ORDER BY b%s) AS place FROM (%s)) WHERE place <= %d",
			g.of("row_number", "rank", "dense_rank"), g.of("", " DESC"), in(), 1+g.rnd.IntN(4))
	case 6, 7:
		return fmt.Sprintf("SELECT l.a, r.b FROM (%s) l %s JOIN (%s) r ON l.b = r.b%s", in(), g.of("", "LEFT", "RIGHT", "FULL"), in(), g.of("", " AND l.a < r.a"))
	case 8:
		return fmt.Sprintf("SELECT a, b FROM (%s) l %s JOIN (%s) r ON l.a = r.a", in(), g.of("LEFT SEMI", "LEFT ANTI"), in())
	case 9:
		return fmt.Sprintf("SELECT a, %s OVER (PARTITION BY a ORDER BY b%s) AS b FROM (%s)", g.of("sum(b)", "count(b)", "min(b)", "max(b)"),
			g.of("", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", " RANGE BETWEEN 10 PRECEDING AND CURRENT ROW"), in())
	default:
		return fmt.Sprintf("SELECT a, b %s %d AS b FROM (%s) WHERE %s", g.of("+", "*", "%"), 2+g.rnd.IntN(5), in(), g.of("b > 20", "a <> 1", "a IS NOT NULL", "b % 3 = 0"))
	}
}

// rows are rows of a topic, or of windows over one.
func (g *streamSQL) rows() string {
	from := "STREAM " + g.of("events", "others")
	switch g.rnd.IntN(5) {
	case 0:
		return g.plain(from) + " UNION ALL " + g.plain("STREAM events")
	case 1:
		return fmt.Sprintf("SELECT k AS a, %s AS b FROM %s WATERMARK ts DELAY INTERVAL %d SECONDS GROUP BY window(ts, '%d seconds'), k",
			g.of("count(*)", "sum(v)", "max(v)"), from, 5*g.rnd.IntN(5), 10+10*g.rnd.IntN(4))
	}
	return g.plain(from)
}

func (g *streamSQL) plain(from string) string {
	return "SELECT k AS a, v AS b FROM " + from + g.of("", fmt.Sprintf(" WHERE v > %d", g.rnd.IntN(80)))
}

func (g *streamSQL) aggregate() string {
	return g.of("count(*)", "count(b)", "sum(b)", "min(b)", "max(b)", "count(DISTINCT b)", "sum(b) FILTER (WHERE b > 50)", "count(DISTINCT b) FILTER (WHERE b % 2 = 0)")
}

// TestRandomStreams runs random queries over history and live, with random cuts, partitions, restarts and failures: the changes
// add up to the rows of history. A failing one is repeated by: go test ./structured/physical -run TestRandomStreams -metamorphic.seed=N
func TestRandomStreams(t *testing.T) {
	if *randomSeed != 0 {
		randomStream(t, *randomSeed)
		return
	}
	seed, end := uint64(1), time.Time{}
	if *randomFor > 0 {
		seed, end = rand.Uint64()>>1, time.Now().Add(*randomFor)
		t.Logf("from seed %d", seed)
	}
	ran, refused := 0, 0
	for ; !t.Failed() && (ran < 40 || time.Now().Before(end)); seed++ {
		if randomStream(t, seed) {
			ran++
		} else {
			refused++
		}
	}
	if refused > 2*ran {
		t.Errorf("%d queries ran, %d were refused", ran, refused)
	}
	t.Logf("%d queries ran, %d were refused", ran, refused)
}

// randomStream reports whether the query of a seed was not refused.
func randomStream(t *testing.T, seed uint64) bool {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 3))
	g := &streamSQL{rnd}
	inputs := tables{"events": events(t, 60+rnd.IntN(60), seed), "others": eventsAs(t, "others", 20+rnd.IntN(40), seed+1)}
	text := g.relation(1 + rnd.IntN(3))
	o := Options{OutputMode: connector.Update, Conf: map[string]string{UnboundedState: "allow"}}
	l, err := fromSQL(text, inputs)
	if err == nil {
		o.Parts, o.Streaming, o.Query, o.Changes = 1, true, "q", true
		_, err = Plan(context.Background(), l, o)
	}
	if err != nil {
		if _, users := usererr.As(err); !users {
			t.Errorf("seed %d: %v\n%s", seed, err, text)
		}
		return false
	}
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: go test ./structured/physical -run TestRandomStreams -metamorphic.seed=%d\n%s", seed, text)
		}
	}()
	want := overHistory(t, text, inputs, o)
	for range 2 {
		parts, cut := 1+rnd.IntN(3), int64(1+rnd.IntN(40))
		r := newLiveRun(t, text, inputs, o, parts)
		r.cut, r.rng = cut, rnd
		r.toEnd()
		equal(t, fmt.Sprintf("%s\nseed %d, %d parts, cut %d", text, seed, parts, cut), r.table(), want)
	}
	return true
}
