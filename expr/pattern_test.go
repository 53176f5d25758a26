package expr

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestPatternTexts(t *testing.T) {
	for s, want := range map[string]string{
		`(&|^)channel_id=([^&]*)`: "channel_id= 0-1", `abc`: "abc 0-0", `[0-9]+abc`: "", `x?yz`: "yz 0-1", `(?i)abc`: "", `\babc`: "", `(?m)^abc`: "",
		`a|bc`: "", `(ab|cde)fgh`: "fgh 2-3", `é?ab`: "ab 0-2", `.{3}--x`: "--x 3-12", `ab.*cdefg`: "ab 0-0", `(abc)`: "", `^abc`: "abc 0-0",
	} {
		p, err := compileRegexPattern(s)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(p.text) > 0 {
			got = fmt.Sprintf("%s %d-%d", p.text, p.min, p.max)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

// TestPatternsMatchAsGosDo compares random expressions over random subjects with the standard library.
func TestPatternsMatchAsGosDo(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	quick := 0
	for range 4000 {
		var b strings.Builder
		for range 1 + rng.IntN(4) {
			b.WriteString(pick("ab", "ba", "aba", "^", "$", "(a|^)", "(b|ab)?", "[^a]", "é", ".", "a*", "(?i:ab)", "(a)(b)", "x{2}", "b+"))
		}
		p, err := compileRegexPattern(b.String())
		if err != nil {
			t.Fatal(err)
		}
		if len(p.text) > 0 {
			quick++
		}
		for range 20 {
			var s []byte
			for range rng.IntN(12) {
				s = append(s, pick("a", "b", "x", "é", "\xff", "A")...)
			}
			checkPattern(t, p, s)
		}
	}
	if quick < 1000 {
		t.Errorf("only %d expressions have a text to look for", quick)
	}
}

func checkPattern(t *testing.T, p *pattern, s []byte) {
	t.Helper()
	re := regexp.MustCompile(p.String())
	if got, want := p.Match(s), re.Match(s); got != want {
		t.Fatalf("%s on %q: %v, want %v", p, s, got, want)
	}
	if got, want := fmt.Sprintf("%q", p.FindSubmatch(s)), fmt.Sprintf("%q", re.FindSubmatch(s)); got != want {
		t.Fatalf("%s on %q: %s, want %s", p, s, got, want)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`(&|^)channel_id=([^&]*)`, "channel_id=1&x&channel_id=2")
	f.Add(`a?bc`, "abbc")
	f.Fuzz(func(t *testing.T, s, subject string) {
		if p, err := compileRegexPattern(s); err == nil {
			checkPattern(t, p, []byte(subject))
		}
	})
}

func BenchmarkPattern(b *testing.B) {
	p, err := compileRegexPattern(`(&|^)channel_id=([^&]*)`)
	if err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]string{"match": "https://www.nexmark.com/abc/de/fgh/item.htm?query=1&channel_id=1234567", "none": "https://www.nexmark.com/abc/de/fgh/item.htm?query=1"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.FindSubmatch([]byte(s))
			}
		})
		b.Run(name+"/everywhere", func(b *testing.B) {
			for b.Loop() {
				p.Regexp.FindSubmatch([]byte(s))
			}
		})
	}
}
