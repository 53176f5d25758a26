package sql

import "strings"

// Statement is one statement of a script. Line and Col are where it starts in the script.
type Statement struct {
	Text      string
	Line, Col int
}

// Split cuts a script at its semicolons (those outside strings, names and comments) and leaves out empty statements.
// The text of a statement starts at its first token; comments inside it are kept.
func Split(script string) ([]Statement, error) {
	p := &parser{src: script, toks: lex(script), alias: -1}
	var out []Statement
	start := 0
	for i, t := range p.toks {
		if t.kind == unclosed {
			p.i = i
			return nil, run(script, Params{}, func(q *parser) { q.i = i; q.fail() })
		}
		if t.kind != eof && !(t.kind == op && t.raw == ";") {
			continue
		}
		if i > start {
			first := p.toks[start]
			out = append(out, Statement{
				Text: strings.TrimSpace(script[first.off:p.toks[i-1].end]),
				Line: first.pos.Line, Col: first.pos.Col,
			})
		}
		start = i + 1
	}
	return out, nil
}
