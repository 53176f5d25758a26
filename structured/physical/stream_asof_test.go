package physical

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// TestStreamAsof: each left row gets the version that was valid at its time, whichever comes first.
func TestStreamAsof(t *testing.T) {
	for name, join := range map[string]string{
		"backward":       "ASOF JOIN %s AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k",
		"left":           "LEFT ASOF JOIN %s AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k",
		"strict":         "LEFT ASOF JOIN %s AS b MATCH_CONDITION (a.ts > b.ts) ON a.k = b.k",
		"system time":    "JOIN STREAM r FOR SYSTEM_TIME AS OF a.ts WATERMARK ts DELAY INTERVAL 8 SECONDS AS b ON a.k = b.k",
		"system time, 2": "LEFT JOIN STREAM r FOR SYSTEM_TIME AS OF a.ts WATERMARK ts DELAY INTERVAL 8 SECONDS b ON b.k = a.k",
	} {
		t.Run(name, func(t *testing.T) {
			if name[:3] != "sys" {
				join = fmt.Sprintf(join, fromR)
			}
			text := "SELECT a.k, a.ts, a.v, b.ts AS bts, b.v AS bv FROM " + fromL + " AS a " + join
			in := twoStreams(t, 150, 5)
			in["r"] = timedRows(t, 60, 9, 1) // versions of one time are told apart by their order in the log
			rows := metamorphic(t, text, in, Options{Conf: map[string]string{UnboundedState: "allow"}})
			if len(rows) < 50 {
				t.Fatalf("only %d rows", len(rows))
			}
			windows := "SELECT window(ts, '10 seconds').start AS at, count(*) AS n, sum(bv) AS s FROM (" + text + ") GROUP BY 1"
			metamorphic(t, windows, in, Options{Conf: map[string]string{UnboundedState: "allow"}})
			state := newLiveRun(t, text, in, Options{Conf: map[string]string{UnboundedState: "allow"}}, 1)
			state.cut, state.rng = 5, seeded(1)
			most := 0
			for !state.step() {
				most = max(most, held(t, state))
			}
			if last := held(t, state); last > 5 || most > 100 {
				t.Errorf("%d entries at the end of input, %d at most", last, most)
			}
		})
	}
}

// TestStreamAsofTolerance: a partner may be after the row, but not farther off than so much, for which rows wait.
func TestStreamAsofTolerance(t *testing.T) {
	defer func() { tweak = nil }()
	for _, d := range []logical.AsofDirection{logical.Backward, logical.Forward, logical.Nearest} {
		for _, strict := range []bool{false, true} {
			tweak = func(p logical.Plan) logical.Plan {
				if j, ok := p.(*logical.AsofJoin); ok {
					c := *j
					c.Direction, c.Strict, c.Tolerance = d, strict, &expr.Literal{Value: int64(6 * second), Typ: column.Of(column.IntervalDT)}
					return &c
				}
				return p
			}
			text := "SELECT a.k, a.ts, a.v, b.ts AS bts, b.v AS bv FROM " + fromL + " AS a LEFT ASOF JOIN " + fromR + " AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k"
			in := twoStreams(t, 150, 5)
			in["r"] = timedRows(t, 60, 9, 1)
			rows := strings.Join(metamorphic(t, text, in, Options{Conf: map[string]string{UnboundedState: "allow"}}), "\n")
			if n := strings.Count(rows, "null null"); n < 5 || n > 130 {
				t.Errorf("%s strict %t: %d rows without a partner", d, strict, n)
			}
		}
	}
}

func TestAsofRefusals(t *testing.T) {
	in := twoStreams(t, 10, 5)
	for text, code := range map[string]string{
		"SELECT a.v FROM " + fromL + " AS a ASOF JOIN " + fromR + " AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k":    "STREAMING_STATE_UNBOUNDED",
		"SELECT a.v FROM " + fromL + " AS a ASOF JOIN " + fromR + " AS b MATCH_CONDITION (a.ts <= b.ts) ON a.k = b.k":    "UNSUPPORTED_STREAMING_OPERATION",
		"SELECT a.v FROM " + fromL + " AS a ASOF JOIN " + fromR + " AS b MATCH_CONDITION (a.ts >= b.until) ON a.k = b.k": "UNSUPPORTED_STREAMING_OPERATION",
		"SELECT a.v FROM STREAM l AS a JOIN STREAM r FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k":                       "INVALID_ASOF_JOIN.NO_EVENT_TIME",
		"SELECT a.v FROM " + fromL + " AS a ASOF JOIN r AS b MATCH_CONDITION (a.ts >= b.ts) ON a.k = b.k":                "UNSUPPORTED_STREAMING_OPERATION",
		"SELECT a.v FROM " + fromL + " AS a RIGHT JOIN STREAM r FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k":            "UNSUPPORTED_FEATURE.TEMPORAL_JOIN",
	} {
		refusedWith(t, text, in, Options{Streaming: true, Query: "q", OutputMode: connector.Append}, code)
	}
}

// refusedWith checks that planning fails with an error of a code.
func refusedWith(t *testing.T, text string, in tables, opt Options, code string) {
	t.Helper()
	l, err := fromSQL(text, in)
	if err == nil {
		_, err = Plan(context.Background(), l, opt)
	}
	var ue *usererr.Error
	if !errors.As(err, &ue) || ue.Code != code {
		t.Errorf("%s:\n%v, want %s", text, err, code)
	}
}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, n)) }
