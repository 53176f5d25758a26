package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// result is one figure.
type result struct {
	Bench  string  `json:"bench"`
	Server string  `json:"server"`
	Case   string  `json:"case"`
	How    string  `json:"how,omitempty"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	More   bool    `json:"more_is_better"`
	Load   string  `json:"load_average"`
}

// results are printed as they come, and kept for the table.
type results struct {
	out  *json.Encoder
	list []result
}

func (r *results) add(x result) {
	x.Bench, x.Value = "log", threeDigits(x.Value)
	r.list = append(r.list, x)
	r.out.Encode(x) // a reader that has gone misses lines, the table is still printed
}

// threeDigits is how much of a figure is not noise.
func threeDigits(v float64) float64 {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64) // it has just been written so
	return short
}

// line is a figure of the table: the same case of every server.
type line struct{ what, how, unit string }

// table prints a line for each case, a column for each server, and how many times better StreamFlow is than each Kafka.
func (r *results) table(w io.Writer) {
	var lines []line
	values, more := map[line]map[string]float64{}, map[line]bool{}
	for _, x := range r.list {
		l := line{x.Case, x.How, x.Unit}
		if values[l] == nil {
			values[l] = map[string]float64{}
			lines = append(lines, l)
		}
		values[l][x.Server], more[l] = x.Value, x.More
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "case\thow\tunit\tmachine\tStreamFlow\tKafka fsync\tKafka no fsync\tbetter than fsync\tthan no fsync")
	for _, l := range lines {
		v := values[l]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.what, l.how, l.unit, figure(v, "machine"), figure(v, "streamflow"), figure(v, "kafka-fsync"), figure(v, "kafka"),
			ratio(v["streamflow"], v["kafka-fsync"], more[l]), ratio(v["streamflow"], v["kafka"], more[l]))
	}
	t.Flush()
}

func figure(v map[string]float64, server string) string {
	x, ok := v[server]
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.12g", x)
}

// ratio over 1 means that ours is better, whichever way better is.
func ratio(ours, theirs float64, more bool) string {
	if ours == 0 || theirs == 0 {
		return ""
	}
	if !more {
		ours, theirs = theirs, ours
	}
	return fmt.Sprintf("%.2f x", ours/theirs)
}
