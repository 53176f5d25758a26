package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
)

// goEvent is a line of go tool test2json.
type goEvent struct{ Action, Test, Output string }

// parseGoTest reads test2json's lines. A test that has subtests is not a case: its subtests are. One that was running when
// the process ended has failed.
func parseGoTest(b []byte) ([]testCase, error) {
	byName, output, parents := map[string]testCase{}, map[string][]string{}, map[string]bool{}
	in := bufio.NewScanner(bytes.NewReader(b))
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e goEvent
		if json.Unmarshal(in.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		if parent, _, ok := cutLast(e.Test, "/"); ok {
			parents[parent] = true
		}
		switch e.Action {
		case "run":
			byName[e.Test] = testCase{name: e.Test, outcome: failed, message: "it did not end"}
		case "output":
			output[e.Test] = append(output[e.Test], e.Output)
		case "pass":
			byName[e.Test] = testCase{name: e.Test, outcome: passed}
		case "skip":
			byName[e.Test] = testCase{name: e.Test, outcome: skipped, message: lastWords(output[e.Test])}
		case "fail":
			byName[e.Test] = testCase{name: e.Test, outcome: failed, message: lastWords(output[e.Test])}
		}
	}
	for p := range parents {
		if !parents[p] || byName[p].outcome != failed || anyFailedBelow(byName, p) {
			delete(byName, p)
		}
	}
	return sorted(byName), in.Err()
}

// anyFailedBelow reports whether a subtest explains that its parent failed.
func anyFailedBelow(byName map[string]testCase, parent string) bool {
	for name, c := range byName {
		if c.outcome == failed && strings.HasPrefix(name, parent+"/") {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// lastWords are the first lines of what a test said about itself, without the runner's own marks.
func lastWords(output []string) string {
	var kept []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept[max(0, len(kept)-4):], "; ")
}
