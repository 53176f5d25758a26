package main

import (
	"fmt"
	"regexp"
	"strings"
)

// parseLibrdkafka reads the summary that librdkafka's test-runner prints at its end:
//
//	| 0011_produce_batch                       |     PASSED |   1.234s |
//	| 0030_offset_commit                       |     FAILED |   9.101s | test_commit():112: …
//	| 0101_fetch_from_follower                 |    SKIPPED |   0.000s | needs racks
//
// Tests that the command line left out are no cases.
func parseLibrdkafka(b []byte) ([]testCase, error) {
	states := map[string]outcome{"PASSED": passed, "FAILED": failed, "RUNNING": failed, "SKIPPED": skipped, "DNS": skipped}
	byName := map[string]testCase{}
	for _, m := range rdLine.FindAllStringSubmatch(colour.ReplaceAllString(string(b), ""), -1) {
		o, ok := states[m[2]]
		if !ok {
			return nil, fmt.Errorf("test %s has the state %q", m[1], m[2])
		}
		c := testCase{name: m[1], outcome: o, message: strings.TrimSpace(m[3])}
		if strings.HasPrefix(c.message, "Filtered due to") {
			continue
		}
		if m[2] == "RUNNING" {
			c.message = "it did not end"
		}
		byName[c.name] = c
	}
	delete(byName, "<MAIN>")
	if len(byName) == 0 {
		return nil, fmt.Errorf("librdkafka's runner printed no summary")
	}
	return sorted(byName), nil
}

var (
	rdLine = regexp.MustCompile(`(?m)^\| ?(\S+) +\| +([A-Z]+) +\| +[0-9.]+s +\|(.*)$`)
	colour = regexp.MustCompile("\x1b\\[[0-9;]*m")
)
