package main

import (
	"slices"
	"strings"
	"testing"
)

func brief(cases []testCase) string {
	var out []string
	for _, c := range cases {
		s := c.name + " " + string(c.outcome)
		if c.message != "" {
			s += ": " + c.message
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ name, ext, in, want string }{
		{"go test: subtests are the cases, a parent only when it failed by itself", ".gotest", `
{"Action":"run","Test":"TestA"}
{"Action":"run","Test":"TestA/x"}
{"Action":"run","Test":"TestA/y"}
{"Action":"output","Test":"TestA/y","Output":"    a_test.go:9: lost 3\n"}
{"Action":"output","Test":"TestA/y","Output":"--- FAIL: TestA/y (0.1s)\n"}
{"Action":"pass","Test":"TestA/x"}
{"Action":"fail","Test":"TestA/y"}
{"Action":"fail","Test":"TestA"}
{"Action":"run","Test":"TestB"}
{"Action":"run","Test":"TestB/x"}
{"Action":"pass","Test":"TestB/x"}
{"Action":"output","Test":"TestB","Output":"    b_test.go:1: late\n"}
{"Action":"fail","Test":"TestB"}
{"Action":"run","Test":"TestC"}
{"Action":"output","Test":"TestC","Output":"=== RUN TestC\n"}
{"Action":"output","Test":"TestC","Output":"    c_test.go:1: no SASL\n"}
{"Action":"skip","Test":"TestC"}
{"Action":"run","Test":"TestD"}
panic: not JSON`, `
TestA/x passed
TestA/y failed: a_test.go:9: lost 3
TestB failed: b_test.go:1: late
TestB/x passed
TestC skipped: c_test.go:1: no SASL
TestD failed: it did not end`},
		{"librdkafka's summary", ".librdkafka", "#====#\n" +
			"|\x1b[32m <MAIN>                                   |     PASSED | 186.012s \x1b[0m|\n" +
			"|\x1b[32m 0001_multiobj                            |     PASSED |   1.234s \x1b[0m|\n" +
			"|\x1b[31m 0030_offset_commit                       |     FAILED |   9.100s \x1b[0m|\x1b[31m commit():12: no | such\x1b[0m\n" +
			"|\x1b[35m 0031_get_offsets                         |    RUNNING |   9.100s \x1b[0m|\n" +
			"|\x1b[36m 0097_ssl_verify                          |    SKIPPED |   0.000s \x1b[0m|\x1b[36m needs SSL\x1b[0m\n" +
			"|\x1b[36m 0004_conf                                |    SKIPPED |   0.000s \x1b[0m|\x1b[36m Filtered due to negative test flags\x1b[0m\n", `
0001_multiobj passed
0030_offset_commit failed: commit():12: no | such
0031_get_offsets failed: it did not end
0097_ssl_verify skipped: needs SSL`},
		{"JUnit", ".junit", `<testsuites><testsuite><testcase classname="test.a" name="one[x]"/>
<testcase classname="test.a" name="two"><failure message="assert 1 == 2&#10;more">trace</failure></testcase>
<testcase classname="test.a" name="three"><error message="failed on setup"/></testcase>
<testcase classname="test.a" name="four"><skipped message="no broker"/></testcase></testsuite></testsuites>`, `
test.a.four skipped: no broker
test.a.one[x] passed
test.a.three failed: failed on setup
test.a.two failed: assert 1 == 2`},
		{"lines", ".lines", "passed topics\nfailed acls: refused: by User:ann\nskipped share: not served\n", `
acls failed: refused: by User:ann
share skipped: not served
topics passed`},
	} {
		got, err := parsers[tc.ext]([]byte(tc.in))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if want := strings.TrimSpace(tc.want); brief(got) != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, brief(got), want)
		}
	}
	for ext, bad := range map[string]string{".librdkafka": "Assertion failed", ".junit": "<testsuites>", ".lines": "maybe topics"} {
		if got, err := parsers[ext]([]byte(bad)); err == nil {
			t.Errorf("%s took %q for %s", ext, bad, brief(got))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("passed a\nfailed b: c")
	f.Add(`{"Action":"run","Test":"A/b"}`)
	f.Add("| 0001_x | PASSED | 1.0s |")
	f.Add(`<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>`)
	f.Fuzz(func(t *testing.T, in string) {
		for ext, parse := range parsers {
			cases, err := parse([]byte(in))
			if err != nil {
				continue
			}
			if !slices.IsSortedFunc(cases, func(a, b testCase) int { return strings.Compare(a.name, b.name) }) {
				t.Errorf("%s: cases are not in order", ext)
			}
		}
	})
}
