package physical

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
)

// TestAdaptedPlans prints plans as they are when all stages are complete:
//
//	adapt [parts=n] [conf=(key=value, …)]     keys without spark.sql.; sizes are those of a machine with n slots
//	SELECT …
//	Scan-1: 10 10 4000                        rows that the stage which ends there wrote for each reduce partition, of 10 bytes each
//
// Stages that are not named write 1 row. First come the stages in the order in which they begin, as "stage+" those that begin together.
func TestAdaptedPlans(t *testing.T) {
	c := tables{"big": countTable(t, "big", 60_000), "few": countTable(t, "few", 100), "other": countTable(t, "other", 60_000)}
	datadriven.RunTest(t, "testdata/adaptive", func(t *testing.T, d *datadriven.TestData) string {
		var lines []string
		wrote := map[string]string{}
		for _, line := range strings.Split(d.Input, "\n") {
			if id, rows, ok := strings.Cut(line, ": "); ok {
				wrote[id] = rows
			} else {
				lines = append(lines, line)
			}
		}
		l, err := fromSQL(strings.Join(lines, "\n"), c)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		opt := Options{Parts: 3, ANSI: true, Conf: map[string]string{BroadcastThreshold: "-1"}}
		d.MaybeScanArgs(t, "parts", &opt.Parts)
		for _, arg := range d.CmdArgs {
			if arg.Key == "conf" {
				for _, kv := range arg.Vals {
					k, v, _ := strings.Cut(kv, "=")
					opt.Conf["spark.sql."+k] = v
				}
			}
		}
		phys, err := Plan(context.Background(), l, opt)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		a := phys.Adaptive(opt.Parts)
		if a == nil {
			return "nothing to adapt\n"
		}
		return runAdaptive(t, a, wrote) + a.Plan().Format()
	})
}

// runAdaptive completes the stages of a plan one after the other, and returns the order in which they began.
func runAdaptive(t *testing.T, a *Adaptive, wrote map[string]string) string {
	t.Helper()
	var order []string
	cut := scheduler.NewCutter()
	complete := map[int]bool{}
	var waiting []*scheduler.Stage
	for range 100 {
		fresh, last, err := cut.Ready(a.Root(), func(s int) bool { return complete[s] })
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, s := range fresh {
			a.Begin(s.Root)
			names = append(names, fmt.Sprintf("%s×%d", s.Root.ID, s.Root.Parts))
		}
		if len(names) > 0 {
			order = append(order, strings.Join(names, "+"))
		}
		if last {
			return strings.Join(order, ", ") + "\n"
		}
		if waiting = append(waiting, fresh...); len(waiting) == 0 {
			t.Fatal("nothing runs, and nothing can")
		}
		s := waiting[0]
		waiting = waiting[1:]
		complete[s.ID] = true
		a.Measure(s.Root, *s.Output, Measure(sizesOf(t, s, wrote[s.Root.ID])))
	}
	t.Fatal("there is no end")
	return ""
}

// sizesOf divides rows over the map tasks of a stage.
func sizesOf(t *testing.T, s *scheduler.Stage, rows string) [][]rdd.Size {
	t.Helper()
	maps := make([][]rdd.Size, s.Root.Parts)
	words := strings.Fields(rows)
	for m := range maps {
		maps[m] = make([]rdd.Size, s.Output.N)
		for p := range maps[m] {
			n := int64(1)
			if p < len(words) {
				if _, err := fmt.Sscan(words[p], &n); err != nil {
					t.Fatal(err)
				}
			}
			own := n / int64(len(maps))
			if m == 0 {
				own += n % int64(len(maps))
			}
			maps[m][p] = rdd.Size{Rows: own, Bytes: 10 * own}
		}
	}
	return maps
}
