package exprlang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Parse reads one expression over the columns and returns it resolved. Errors are *usererr.Error with line and column.
func Parse(text string, cols []*expr.Attr) (expr.Expr, error) {
	node, err := parse(text)
	if err != nil {
		return nil, err
	}
	return newLowerer(text, cols).lower(node)
}

// ParseSelect reads a map literal {a: x, b: y*2} and returns its entries as aliases in order; an entry that is a name alone
// is the column of that name. Any other expression is one alias, named by the column it is or by its text.
func ParseSelect(text string, cols []*expr.Attr) ([]expr.Expr, error) {
	text = longhand(text)
	node, err := parse(text)
	if err != nil {
		return nil, err
	}
	l := newLowerer(text, cols)
	m, ok := node.(*ast.MapNode)
	if !ok {
		e, err := l.lower(node)
		if err != nil {
			return nil, err
		}
		return []expr.Expr{alias(e, strings.TrimSpace(text))}, nil
	}
	var out []expr.Expr
	seen := map[string]bool{}
	for _, p := range m.Pairs {
		pair := p.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return nil, l.errorAt(pair.Key, "INVALID_EXPRLANG.KEY", "The name of a selected value must be a word or a text.")
		}
		if seen[key.Value] {
			return nil, l.errorAt(pair.Key, "COLUMN_ALREADY_EXISTS", "The name `%s` stands twice.", key.Value)
		}
		seen[key.Value] = true
		e, err := l.lower(pair.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, &expr.Alias{Child: e, Name: key.Value, ID: expr.NewID()})
	}
	return out, nil
}

func alias(e expr.Expr, text string) expr.Expr {
	name := text
	if a, ok := e.(*expr.Attr); ok {
		name = a.Name
	}
	return &expr.Alias{Child: e, Name: name, ID: expr.NewID()}
}

// maxText bounds the text of an expression: nothing sensible is longer, and nesting is bounded with it.
const maxText = 64 << 10

func parse(text string) (node ast.Node, err error) {
	if len(text) > maxText {
		return nil, usererr.New("PARSE_SYNTAX_ERROR", "42601", "The expression has %d bytes; %d are allowed.", len(text), maxText)
	}
	if err := depth(text); err != nil {
		return nil, err
	}
	tree, err := parser.Parse(text)
	if err == nil {
		return tree.Node, nil
	}
	out := usererr.New("PARSE_SYNTAX_ERROR", "42601", "The expression cannot be read: %v.", err)
	out.Text = text
	var at *file.Error
	if errors.As(err, &at) {
		out.Message = fmt.Sprintf("The expression cannot be read: %s.", at.Message)
		out.At(place(text, at.From))
	}
	return nil, out
}

// maxDepth bounds brackets and prefix operators, over which expr-lang's parser recurses.
const maxDepth = 500

func depth(text string) error {
	n, prefix := 0, 0
	for _, c := range text {
		switch c {
		case '(', '[', '{':
			n++
		case ')', ']', '}':
			n--
		case '!', '-', '+', '?':
			prefix++
		}
		if n > maxDepth || prefix > 20*maxDepth {
			return usererr.New("PARSE_SYNTAX_ERROR", "42601", "The expression is nested more than %d deep.", maxDepth)
		}
	}
	return nil
}

// place is the line and column, from 1, of a character of text.
func place(text string, at int) (line, col int) {
	line, col = 1, 1
	for i, r := range []rune(text) {
		if i >= at {
			break
		}
		if r == '\n' {
			line, col = line+1, 1
		} else {
			col++
		}
	}
	return line, col
}
