package stream

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/structured/connector"
)

// TestDecide runs the scripts of testdata/decide: each states facts, one a line, and shows the decision.
//
//	epoch N | record epoch=N [committed=B@t:1,2] [ended] [planned=B@t:3,4] [start=t:0,0] | published N | recovered
//	source NAME available=1,2 [ended] | until NAME 1,2 | stop | due | max N
func TestDecide(t *testing.T) {
	datadriven.RunTest(t, "testdata/decide", func(t *testing.T, d *datadriven.TestData) string {
		f := Facts{Epoch: 1, Published: -1, Record: Record{Epoch: 1}}
		for _, line := range strings.Split(d.Input, "\n") {
			parseFact(t, &f, strings.Fields(line))
		}
		return format(Decide(f))
	})
}

func parseFact(t *testing.T, f *Facts, w []string) {
	if len(w) == 0 {
		return
	}
	switch w[0] {
	case "epoch":
		f.Epoch = num(t, w[1])
	case "published":
		f.Published = num(t, w[1])
	case "recovered":
		f.Recovered = true
	case "due":
		f.Due = true
	case "stop":
		f.StopAsked = true
	case "load":
		f.Load = w[1]
	case "max":
		f.MaxRows = num(t, w[1])
	case "until":
		if f.Until == nil {
			f.Until = map[string]connector.Offsets{}
		}
		f.Until[w[1]] = offsets(t, w[2])
	case "source":
		s := SourceFacts{ID: w[1]}
		for _, a := range w[2:] {
			if v, ok := strings.CutPrefix(a, "available="); ok {
				s.Available = offsets(t, v)
			}
			s.Ended = s.Ended || a == "ended"
		}
		f.Sources = append(f.Sources, s)
	case "record":
		parseRecord(t, &f.Record, w[1:])
	default:
		t.Fatalf("unknown fact %q", w[0])
	}
}

func parseRecord(t *testing.T, r *Record, w []string) {
	for _, a := range w {
		key, v, _ := strings.Cut(a, "=")
		switch key {
		case "epoch":
			r.Epoch = num(t, v)
		case "start":
			r.StartOffsets = ranges(t, v)
		case "committed":
			batch, rest, _ := strings.Cut(v, "@")
			r.Committed = &Commit{Batch: num(t, batch), Offsets: ranges(t, rest)}
		case "planned":
			batch, rest, _ := strings.Cut(v, "@")
			r.Planned = &Planned{Batch: num(t, batch), To: ranges(t, rest)}
		case "ended":
			r.Committed.Ended = true
		case "paused":
			r.Paused = true
		case "loaded":
			r.Loaded = v
		}
	}
}

func ranges(t *testing.T, v string) map[string]connector.Offsets {
	out := map[string]connector.Offsets{}
	for _, part := range strings.Split(v, ";") {
		name, list, _ := strings.Cut(part, ":")
		out[name] = offsets(t, list)
	}
	return out
}

func offsets(t *testing.T, list string) connector.Offsets {
	var o connector.Offsets
	for _, n := range strings.Split(list, ",") {
		o = append(o, num(t, n))
	}
	return o
}

func num(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func format(d Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s batch=%d", d.Action, d.Batch)
	for _, s := range slices.Sorted(maps.Keys(d.To)) {
		fmt.Fprintf(&b, " %s:%v->%v", s, d.From[s], d.To[s])
	}
	if d.Ended {
		b.WriteString(" ended")
	}
	b.WriteString("\n")
	return b.String()
}
