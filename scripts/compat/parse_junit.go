package main

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// junitSuites is the form that pytest writes.
type junitSuites struct {
	Suites []struct {
		Cases []struct {
			Class    string   `xml:"classname,attr"`
			Name     string   `xml:"name,attr"`
			Failures []junitM `xml:"failure"`
			Errors   []junitM `xml:"error"`
			Skips    []junitM `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type junitM struct {
	Message string `xml:"message,attr"`
}

// parseJUnit reads a JUnit report.
func parseJUnit(b []byte) ([]testCase, error) {
	var doc junitSuites
	if err := xml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("junit: %w", err)
	}
	byName := map[string]testCase{}
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			t := testCase{name: c.Class + "." + c.Name, outcome: passed}
			switch bad := append(c.Failures, c.Errors...); {
			case len(bad) > 0:
				t.outcome, t.message = failed, firstLine(bad[0].Message)
			case len(c.Skips) > 0:
				t.outcome, t.message = skipped, firstLine(c.Skips[0].Message)
			}
			byName[t.name] = t
		}
	}
	return sorted(byName), nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}
