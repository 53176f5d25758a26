package optimize

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// inferTexts is how many texts a schema is inferred from.
const inferTexts = 10_000

// parse reads texts as lines of CSV or JSON: from_csv or from_json, whose struct becomes the columns.
func (a *analyzer) parse(p *logical.Parse) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	shown := logical.Visible(child.Output())
	if len(shown) != 1 || shown[0].Typ.Kind != column.String {
		return nil, usererr.New("INVALID_PARAMETER_VALUE", "22023", "Texts are parsed from one column of type STRING.").WithFix("Select the column first.")
	}
	text := shown[0]
	in := logical.Plan(done{child})
	schema, header := p.Schema, ""
	if schema == nil || p.Format == "csv" && strings.EqualFold(p.Options["header"], "true") {
		texts, err := a.texts(text, child)
		if err != nil {
			return nil, err
		}
		if p.Format == "csv" && strings.EqualFold(p.Options["header"], "true") && len(texts) > 0 {
			header, texts = texts[0], texts[1:]
			in = &logical.Filter{Cond: &expr.UnresolvedCall{Name: "not", Args: []expr.Expr{&expr.UnresolvedCall{Name: "<=>", Args: []expr.Expr{text, expr.Lit(header)}}}}, Child: in}
		}
		if schema == nil {
			if schema, err = a.inferred(p, texts, header); err != nil {
				return nil, err
			}
		}
	}
	list := make([]expr.Expr, len(schema.Fields))
	record := &expr.UnresolvedCall{Name: "from_" + p.Format, Args: append([]expr.Expr{text, expr.Lit(ddlOf(schema))}, parserOptions(p.Options)...)}
	in = &logical.Project{List: []expr.Expr{&expr.Alias{Child: record, Name: "_record", ID: expr.NewID()}}, Child: in}
	for i, f := range schema.Fields {
		list[i] = &expr.Alias{Child: &expr.UnresolvedExtract{Child: &expr.UnresolvedAttr{Parts: []string{"_record"}}, Key: expr.Lit(f.Name)}, Name: f.Name, ID: expr.NewID()}
	}
	return a.plan(&logical.Project{List: list, Child: in})
}

// texts reads the first texts that are not null.
func (a *analyzer) texts(text *expr.Attr, child logical.Plan) ([]string, error) {
	if a.env.Rows == nil || logical.IsStreaming(child) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.INFER_SCHEMA", "0A000", "The schema of a stream of texts, or of a stored query, cannot be inferred.").WithFix("Give the schema.")
	}
	known := &logical.Filter{Cond: &expr.UnresolvedCall{Name: "isnotnull", Args: []expr.Expr{text}}, Child: done{child}}
	q, err := a.plan(&logical.Limit{N: inferTexts, Child: known})
	if err != nil {
		return nil, err
	}
	batches, err := a.env.Rows(a.ctx, q)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range batches {
		for i := 0; i < b.N; i++ {
			out = append(out, column.Value(b.Cols[0], i).(string))
		}
	}
	return out, nil
}

// inferred is the schema of the texts; those that cannot be read do not count.
func (a *analyzer) inferred(p *logical.Parse, texts []string, header string) (*column.Schema, error) {
	if p.Format == "json" {
		return a.inferredJSON(texts)
	}
	return a.inferredCSV(p, texts, header)
}

func (a *analyzer) inferredJSON(texts []string) (*column.Schema, error) {
	var valid []string
	for _, t := range texts {
		if s := strings.TrimSpace(t); strings.HasPrefix(s, "{") && json.Valid([]byte(s)) {
			valid = append(valid, s)
		}
	}
	t, err := a.typeOf("schema_of_json", "["+strings.Join(valid, ",")+"]")
	if err != nil || t.Kind != column.List || t.Elem().Kind != column.Struct {
		return column.NewSchema(), err
	}
	return column.NewSchema(t.Elem().Fields...), nil
}

func (a *analyzer) inferredCSV(p *logical.Parse, texts []string, header string) (*column.Schema, error) {
	var fields []column.Field
	if header == "" && len(texts) == 0 {
		return column.NewSchema(), nil
	}
	first := header
	if first == "" {
		first = texts[0]
	}
	t, err := a.typeOf("schema_of_csv", first, parserOptions(p.Options)...)
	if err != nil {
		return nil, err
	}
	names := strings.Split(header, csvSeparator(p.Options))
	for i := range t.Fields {
		f := column.Field{Name: fmt.Sprintf("_c%d", i), Type: column.Of(column.String), Nullable: true}
		if header != "" && i < len(names) {
			f.Name = strings.Trim(names[i], `" `)
		}
		fields = append(fields, f)
	}
	if !strings.EqualFold(p.Options["inferSchema"], "true") {
		return column.NewSchema(fields...), nil
	}
	for n, text := range texts {
		t, err := a.typeOf("schema_of_csv", text, parserOptions(p.Options)...)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(fields) && i < len(t.Fields); i++ {
			if n == 0 {
				fields[i].Type = t.Fields[i].Type
			} else if common, ok := expr.CommonType(fields[i].Type, t.Fields[i].Type); ok {
				fields[i].Type = common
			} else {
				fields[i].Type = column.Of(column.String)
			}
		}
	}
	return column.NewSchema(fields...), nil
}

func csvSeparator(options map[string]string) string {
	for _, name := range []string{"sep", "delimiter"} {
		if s := options[name]; s != "" {
			return s
		}
	}
	return ","
}

// typeOf evaluates one of the functions that give a constant text's schema.
func (a *analyzer) typeOf(function, text string, options ...expr.Expr) (column.Type, error) {
	r, err := a.expr(&expr.UnresolvedCall{Name: function, Args: append([]expr.Expr{expr.Lit(text)}, options...)}, &scope{layers: [][]*expr.Attr{nil}})
	if err != nil {
		return column.Type{}, err
	}
	l, err := expr.EvalLiteralIn(a.env.Session, r)
	if err != nil {
		return column.Type{}, err
	}
	return column.ParseType(l.Value.(string))
}

// parserOptions are the options as the map that from_csv and from_json take; those that only this node knows are left out.
func parserOptions(options map[string]string) []expr.Expr {
	names := make([]string, 0, len(options))
	for k := range options {
		if !strings.EqualFold(k, "header") && !strings.EqualFold(k, "inferSchema") {
			names = append(names, k)
		}
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	m := &expr.UnresolvedCall{Name: "map"}
	for _, k := range names {
		m.Args = append(m.Args, expr.Lit(k), expr.Lit(options[k]))
	}
	return []expr.Expr{m}
}

// ddlOf is a schema as text.
func ddlOf(s *column.Schema) string {
	return column.StructOf(s.Fields...).String()
}
