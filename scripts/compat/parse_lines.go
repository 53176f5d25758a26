package main

import (
	"fmt"
	"strings"
)

// parseLines reads what the scripts write about steps that are no suite's own tests.
//
//	passed NAME
//	failed NAME: why
//	skipped NAME: why
func parseLines(b []byte) ([]testCase, error) {
	byName := map[string]testCase{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if line == "" {
			continue
		}
		state, rest, _ := strings.Cut(line, " ")
		name, why, _ := strings.Cut(rest, ": ")
		c := testCase{name: name, outcome: outcome(state), message: why}
		if c.outcome != passed && c.outcome != failed && c.outcome != skipped || name == "" {
			return nil, fmt.Errorf("%q is not a result", line)
		}
		byName[name] = c
	}
	return sorted(byName), nil
}
