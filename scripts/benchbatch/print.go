package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// print writes the laps: JSON lines, or a table with the geometric means of ratios below.
func (r race) print(w io.Writer, laps []lap) error {
	if r.json {
		out := json.NewEncoder(w)
		for _, l := range laps {
			if err := out.Encode(l.line(r.options)); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "query\trows\tStreamFlow s\t%[1]s s\tratio\tStreamFlow CPU s\t%[1]s CPU s\tratio\tpeak MiB\t%[1]s's\t\n", r.peerName())
	var sum lap
	for _, l := range laps {
		fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%s\t%.3f\t%.3f\t%s\t%.0f\t%.0f\t\n", l.Query, l.Rows, l.Ours.Wall, l.Theirs.Wall, ratio(l.Ours.Wall, l.Theirs.Wall),
			l.Ours.CPU, l.Theirs.CPU, ratio(l.Ours.CPU, l.Theirs.CPU), l.Ours.Peak, l.Theirs.Peak)
		sum.Ours.add(l.Ours)
		sum.Theirs.add(l.Theirs)
	}
	fmt.Fprintf(t, "sum\t\t%.3f\t%.3f\t%s\t%.3f\t%.3f\t%s\t%.0f\t%.0f\t\n", sum.Ours.Wall, sum.Theirs.Wall, ratio(sum.Ours.Wall, sum.Theirs.Wall),
		sum.Ours.CPU, sum.Theirs.CPU, ratio(sum.Ours.CPU, sum.Theirs.CPU), sum.Ours.Peak, sum.Theirs.Peak)
	if r.theirs != nil {
		fmt.Fprintf(t, "geometric mean\t\t\t\t%s\t\t\t%s\t\t\t\n", mean(laps, func(c cost) float64 { return c.Wall }), mean(laps, func(c cost) float64 { return c.CPU }))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range laps {
		if l.Fault != "" {
			fmt.Fprintf(w, "\n%s: %s\n", l.Query, l.Fault)
		}
	}
	return nil
}

// jsonLine is a lap and what it was run with.
type jsonLine struct {
	Bench   string  `json:"bench"`
	Scale   float64 `json:"scale,omitempty"`
	Hits    int     `json:"hits,omitempty"`
	Threads int     `json:"threads"`
	Peer    string  `json:"peer_name"`
	Memory  string  `json:"memory,omitempty"`
	lap
	Ratio    float64 `json:"wall_ratio,omitempty"`
	RatioCPU float64 `json:"cpu_ratio,omitempty"`
}

func (l lap) line(o options) jsonLine {
	j := jsonLine{Bench: "tpch", Scale: float64(o.scale), Threads: o.threads, Peer: o.peerName(), Memory: o.memory, lap: l}
	if o.hits > 0 {
		j.Bench, j.Scale, j.Hits = "hits", 0, o.hits
	}
	if l.Theirs.Wall > 0 && l.Ours.Wall > 0 {
		j.Ratio, j.RatioCPU = l.Ours.Wall/l.Theirs.Wall, l.Ours.CPU/l.Theirs.CPU
	}
	return j
}

func (c *cost) add(x cost) {
	c.Wall += x.Wall
	c.CPU += x.CPU
	c.Peak = max(c.Peak, x.Peak)
}

// ratio is how many times more ours took, nothing when one of them is missing.
func ratio(ours, theirs float64) string {
	if ours == 0 || theirs == 0 {
		return ""
	}
	return places(ours / theirs)
}

// places writes a ratio with two places, a small one with four.
func places(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.4f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// mean is the geometric mean of the ratios of the queries that both have run.
func mean(laps []lap, of func(cost) float64) string {
	sum, n := 0.0, 0
	for _, l := range laps {
		if a, b := of(l.Ours), of(l.Theirs); a > 0 && b > 0 {
			sum += math.Log(a / b)
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return places(math.Exp(sum / float64(n)))
}
