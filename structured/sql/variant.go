package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// pathAhead reports whether what follows a colon is a path into a variant: a name, or a key in brackets.
func (p *parser) pathAhead() bool {
	next := p.ahead(1)
	return next.kind == word || next.kind == quoted || next.kind == op && next.raw == "["
}

// variantPath is the path behind v: in v:key.other['odd key'][0]; it becomes variant_get(v, '$…', 'variant').
func (p *parser) variantPath(v expr.Expr, at token) expr.Expr {
	var b strings.Builder
	b.WriteByte('$')
	if p.atSymbol("[") {
		p.pathIndex(&b)
	} else {
		pathKey(&b, p.name("key"))
	}
	for {
		switch {
		case p.atSymbol("."):
			p.take()
			pathKey(&b, p.name("key"))
		case p.atSymbol("["):
			p.pathIndex(&b)
		default:
			return p.call(at, "variant_get", v, expr.Lit(b.String()), expr.Lit("variant"))
		}
	}
}

// pathIndex is [0] or ['key'].
func (p *parser) pathIndex(b *strings.Builder) {
	open := p.take()
	if p.peek().kind == text {
		pathKey(b, p.str())
	} else {
		n := p.peek()
		p.integerToken()
		b.WriteString("[" + n.val + "]")
	}
	p.closing("]", open)
}

// pathKey writes a key in the quotes that it does not hold.
func pathKey(b *strings.Builder, key string) {
	q := "'"
	if strings.Contains(key, q) {
		q = `"`
	}
	b.WriteString("[" + q + key + q + "]")
}
