package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// outcome of a case.
type outcome string

const (
	passed  outcome = "passed"
	failed  outcome = "failed"
	skipped outcome = "skipped"
)

// testCase is one test of a foreign suite, by the name that it has there.
type testCase struct {
	name    string
	outcome outcome
	message string // why it failed or was skipped
}

// parsers read result files by their extension.
var parsers = map[string]func([]byte) ([]testCase, error){
	".gotest": parseGoTest, ".librdkafka": parseLibrdkafka, ".junit": parseJUnit, ".lines": parseLines,
}

// readCases reads all result files of a directory. A case that is in two of them has the outcome of the later name.
func readCases(dir string) ([]testCase, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	byName := map[string]testCase{}
	for _, f := range files {
		parse, ok := parsers[filepath.Ext(f.Name())]
		if !ok {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("results: %w", err)
		}
		cases, err := parse(b)
		if err != nil {
			return nil, fmt.Errorf("results: %s: %w", f.Name(), err)
		}
		for _, c := range cases {
			byName[c.name] = c
		}
	}
	return sorted(byName), nil
}

func sorted(byName map[string]testCase) []testCase {
	list := make([]testCase, 0, len(byName))
	for _, c := range byName {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b testCase) int { return strings.Compare(a.name, b.name) })
	return list
}

func count(cases []testCase, o outcome) int {
	n := 0
	for _, c := range cases {
		if c.outcome == o {
			n++
		}
	}
	return n
}
