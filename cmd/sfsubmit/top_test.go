package main

import (
	"strings"
	"testing"

	"github.com/streamflow/streamflow/driver"
)

func TestDrawTop(t *testing.T) {
	w := &driver.Why{Query: "counted", Status: "running", Doing: "input", Findings: []string{"It waits for input."}, State: []driver.StateUse{{Keys: 3}, {Keys: 4}},
		Sources: []driver.SourceLag{{Lag: 5}, {Lag: 6}}, Watermarks: []driver.EventTime{{Watermark: "2026-01-02"}, {Watermark: "2026-01-01"}}}
	var b strings.Builder
	drawTop(&b, []*driver.Why{w})
	for _, want := range []string{"counted", " 11 ", " 7 ", "2026-01-01", "counted: It waits for input."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
