package doctest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// doc is a document as lines, and the blocks in it.
type doc struct {
	lines   []string
	blocks  []*block
	changed bool
}

// block is a fenced block.
type block struct {
	lang       string
	directives []string // of the comments right before it
	line       int      // of its first line in the document as it was read
	lines      []string
	new        []string // what -update puts in its place
}

var directive = regexp.MustCompile(`^\s*<!-- doctest: (.*?) -->\s*$`)

func parse(text string) *doc {
	d := &doc{lines: strings.Split(text, "\n")}
	var pending []string
	for i := 0; i < len(d.lines); i++ {
		line := d.lines[i]
		if m := directive.FindStringSubmatch(line); m != nil {
			pending = append(pending, m[1])
			continue
		}
		lang, fence := strings.CutPrefix(line, "```")
		if !fence {
			if strings.TrimSpace(line) != "" {
				pending = nil
			}
			continue
		}
		b := &block{lang: strings.TrimSpace(lang), directives: pending, line: i + 2}
		pending = nil
		for i++; i < len(d.lines) && d.lines[i] != "```"; i++ {
			b.lines = append(b.lines, d.lines[i])
		}
		d.blocks = append(d.blocks, b)
	}
	return d
}

// replace puts a block's commands with their real output in its place. Outputs of several commands are one text, so only a
// block of one command can be filled in.
func (d *doc) replace(b *block, got string) {
	var lines []string
	commands := 0
	for _, l := range b.lines {
		if strings.HasPrefix(l, "$ ") {
			commands++
		}
		if strings.HasPrefix(l, "$ ") || strings.HasPrefix(l, "> ") {
			lines = append(lines, l)
		}
	}
	if got != "" {
		lines = append(lines, strings.Split(strings.TrimSuffix(got, "\n"), "\n")...)
	}
	b.new, d.changed = lines, true
}

func (d *doc) String() string {
	var out []string
	next := 0
	for _, b := range d.blocks {
		out = append(out, d.lines[next:b.line-1]...)
		if b.new != nil {
			out = append(out, b.new...)
		} else {
			out = append(out, b.lines...)
		}
		next = b.line - 1 + len(b.lines)
	}
	return strings.Join(append(out, d.lines[next:]...), "\n")
}

// script is what a block runs.
func (b *block) script() string {
	if b.lang != "console" {
		return strings.Join(b.lines, "\n") + "\n"
	}
	var s strings.Builder
	for _, l := range b.lines {
		c, first := strings.CutPrefix(l, "$ ")
		more, follows := strings.CutPrefix(l, "> ")
		switch {
		case first:
			s.WriteString(c + "\n")
		case follows:
			s.WriteString(more + "\n")
		}
	}
	return s.String()
}

// output is what a console block shows.
func (b *block) output() string {
	var s strings.Builder
	for _, l := range b.lines {
		if !strings.HasPrefix(l, "$ ") && !strings.HasPrefix(l, "> ") {
			s.WriteString(l + "\n")
		}
	}
	return s.String()
}

func (b *block) directive(name string) (rest string, ok bool) {
	for _, d := range b.directives {
		if d == name || strings.HasPrefix(d, name+" ") {
			return strings.TrimSpace(strings.TrimPrefix(d, name)), true
		}
	}
	return "", false
}

func (b *block) unordered() bool {
	_, ok := b.directive("unordered")
	return ok
}

// matches reports whether got is what was shown, with … for text and a line of … for lines.
func matches(want, got string, unordered bool) bool {
	if unordered {
		want, got = sorted(want), sorted(got)
	}
	var re strings.Builder
	re.WriteString(`\A`)
	for _, l := range strings.SplitAfter(want, "\n") {
		if strings.TrimSpace(l) == "…" {
			re.WriteString(`(?:.*\n)*?`)
			continue
		}
		parts := strings.Split(l, "…")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		re.WriteString(strings.Join(parts, ".*?"))
	}
	re.WriteString(`\z`)
	return regexp.MustCompile(re.String()).MatchString(got)
}

func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		unordered bool
		ok        bool
	}{
		{"a\n", "a\n", false, true}, {"a\n", "b\n", false, false}, {"a … c\n", "a b c\n", false, true}, {"a … c\n", "a b\nc\n", false, false},
		{"a\n…\nz\n", "a\nb\nc\nz\n", false, true}, {"a\n…\n", "b\na\n", false, false}, {"", "x\n", false, false},
		{"a\nb\n", "b\na\n", true, true}, {"a\nb\n", "b\na\n", false, false}, {"(1)\n", "(1)\n", false, true},
	} {
		if got := matches(c.want, c.got, c.unordered); got != c.ok {
			t.Errorf("%q and %q: %v", c.want, c.got, got)
		}
	}
}

func TestParse(t *testing.T) {
	text := "# T\n\n<!-- doctest: skip slow -->\n\n```console\n$ echo a \\\n> b\na b\n```\ntext\n```sql\nSELECT 1\n```\n"
	d := parse(text)
	if len(d.blocks) != 2 || d.String() != text {
		t.Fatalf("%d blocks, %q", len(d.blocks), d.String())
	}
	b := d.blocks[0]
	if why, ok := b.directive("skip"); !ok || why != "slow" || b.script() != "echo a \\\nb\n" || b.output() != "a b\n" || b.line != 6 {
		t.Errorf("%+v", b)
	}
	if len(d.blocks[1].directives) != 0 {
		t.Error("a comment belongs to the next block alone")
	}
	d.replace(b, "new\n")
	if !strings.Contains(d.String(), "$ echo a \\\n> b\nnew\n```\ntext") {
		t.Errorf("%q", d.String())
	}
}
