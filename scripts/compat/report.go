package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what is told about one suite.
type report struct {
	suite   string
	nodes   int
	result  result
	verdict verdict
	took    time.Duration
}

// unexpected failures are those that no record explains.
func (r report) unexpected() int { return count(r.result.cases, failed) - r.verdict.known }

func (r report) word() string {
	switch {
	case r.result.skip != "":
		return "skipped: " + r.result.skip
	case len(r.verdict.regressions) > 0:
		return "REGRESSION"
	case len(r.verdict.mended) > 0:
		return "better than recorded"
	}
	return "as recorded"
}

func (r report) line() string {
	c := r.result.cases
	return fmt.Sprintf("%d passed, %d failed (%d known), %d skipped, %.0f s: %s", count(c, passed), count(c, failed), r.verdict.known, count(c, skipped), r.took.Seconds(), r.word())
}

// print writes the table, then what needs a look, then one line of totals.
func print(w io.Writer, reports []report) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "suite\tnodes\tpassed\tfailed\tof these known\tskipped\ttime\t  verdict\n")
	var sum [3]int
	for _, r := range reports {
		c := r.result.cases
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%.0fs\t  %s\n", r.suite, r.nodes, count(c, passed), count(c, failed), r.verdict.known, count(c, skipped), r.took.Seconds(), r.word())
		for i, n := range []int{count(c, passed), len(r.verdict.regressions), count(c, skipped)} {
			sum[i] += n
		}
	}
	t.Flush()
	for _, r := range reports {
		r.details(w)
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", sum[0], sum[1], sum[2])
}

func (r report) details(w io.Writer) {
	for _, c := range r.verdict.regressions {
		fmt.Fprintf(w, "%s: regression: %s: %s\n", r.suite, c.name, shorten(c.message))
	}
	for _, name := range r.result.second {
		fmt.Fprintf(w, "%s: passed at the second try: %s\n", r.suite, name)
	}
	if slices.Sort(r.verdict.mended); len(r.verdict.mended) > 0 {
		fmt.Fprintf(w, "%s: known to fail, and passed (--update records it): %s\n", r.suite, strings.Join(r.verdict.mended, ", "))
	}
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
