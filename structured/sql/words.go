package sql

import "strings"

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// notAlias are the words that are never an alias unless AS or backquotes say so: they begin what may follow an expression
// or a table.
var notAlias = set(`FROM WHERE GROUP HAVING ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET UNION INTERSECT EXCEPT MINUS SETMINUS
	JOIN INNER CROSS LEFT RIGHT FULL SEMI ANTI NATURAL LATERAL ON USING WINDOW QUALIFY TABLESAMPLE PIVOT UNPIVOT WATERMARK MATCH_RECOGNIZE
	AS AND OR NOT IN IS LIKE ILIKE RLIKE REGEXP BETWEEN DIV WHEN THEN ELSE END SELECT VALUES WITH SET DESC ASC NULLS ESCAPE OVER
	FILTER WITHIN IGNORE RESPECT FOR ASOF MATCH_CONDITION`)

// notOperand are the words that never begin an expression unless backquoted: reading one as a column would only move the
// error further from the slip.
var notOperand = set(`SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT JOIN ON USING AS WHEN THEN ELSE AND OR
	IN IS LIKE BETWEEN INNER CROSS FULL NATURAL LATERAL BY DISTINCT INTO`)

// implicitAlias takes an alias written without AS.
func (p *parser) implicitAlias() (string, bool) {
	t := p.peek()
	switch {
	case t.kind == quoted:
		p.take()
		return t.val, true
	case t.kind != word || notAlias[strings.ToUpper(t.raw)]:
		return "", false
	}
	p.alias = p.i
	p.take()
	return t.val, true
}
