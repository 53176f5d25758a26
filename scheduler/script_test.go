package scheduler

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/rdd"
)

// TestScripts runs testdata/*: each command is an event, its output the whole list of actions.
//
//	executor ID slots=N            lose ID
//	submit JOB [pool=P] [pinned]   one line for each stage: PARTS [reads S S…] [at X,X,…]
//	done TASK EXEC                 fail TASK EXEC [fatal]
//	lost TASK EXEC stage=S map=M attempt=A on=EXEC
//	cancel JOB                     speculate TASK
//
// TASK is written JOB/STAGE.PART#ATTEMPT, as the actions print it.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := New(Options{Fair: strings.Contains(path, "fair"), Weights: map[string]int{"heavy": 2}})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			for _, a := range s.Step(parse(t, d)) {
				fmt.Fprintln(&b, a)
			}
			if b.Len() == 0 {
				return "nothing\n"
			}
			return b.String()
		})
	})
}

func parse(t *testing.T, d *datadriven.TestData) Event {
	arg := func(i int) string {
		if i >= len(d.CmdArgs) {
			d.Fatalf(t, "argument %d is missing", i)
		}
		return d.CmdArgs[i].Key
	}
	number := func(name string) (n int) { d.ScanArgs(t, name, &n); return n }
	switch d.Cmd {
	case "executor":
		return ExecutorAdded{arg(0), number("slots")}
	case "lose":
		return ExecutorLost{arg(0)}
	case "submit":
		return parseSubmit(t, d)
	case "extend":
		return Extend{Job: arg(0), Stages: parseShapes(d), Last: d.HasArg("last")}
	case "done":
		return TaskEnded{Task: parseTask(arg(0)), Executor: arg(1)}
	case "fail":
		return TaskEnded{Task: parseTask(arg(0)), Executor: arg(1), Err: errors.New("boom"), Fatal: d.HasArg("fatal")}
	case "lost":
		var on string
		d.ScanArgs(t, "on", &on)
		return TaskEnded{Task: parseTask(arg(0)), Executor: arg(1), Err: errors.New("input lost"),
			Lost: &Lost{number("stage"), rdd.Source{Executor: on, MapPart: number("map"), Attempt: number("attempt")}}}
	case "cancel":
		return Cancel{Job: arg(0), Err: errors.New("cancelled")}
	case "speculate":
		return Speculate{parseTask(arg(0))}
	}
	d.Fatalf(t, "unknown command %s", d.Cmd)
	return nil
}

func parseSubmit(t *testing.T, d *datadriven.TestData) Submit {
	e := Submit{Job: d.CmdArgs[0].Key, Open: d.HasArg("open"), Stages: parseShapes(d)}
	if d.HasArg("pool") {
		d.ScanArgs(t, "pool", &e.Pool)
	}
	return e
}

func parseShapes(d *datadriven.TestData) (list []Shape) {
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		parts, _ := strconv.Atoi(words[0])
		sh := Shape{Parts: parts, Pinned: d.HasArg("pinned"), Once: d.HasArg("once")}
		for i := 1; i < len(words); i++ {
			switch n, err := strconv.Atoi(words[i]); {
			case words[i] == "at":
				sh.Prefer = strings.Split(words[i+1], ",")
				i++
			case err == nil:
				sh.Parents = append(sh.Parents, n)
			}
		}
		list = append(list, sh)
	}
	return list
}

func parseTask(s string) (t Task) {
	job, rest, _ := strings.Cut(s, "/")
	t.Job = job
	fmt.Sscanf(rest, "%d.%d#%d", &t.Stage, &t.Part, &t.Attempt)
	return t
}
