package driver

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/file"
	"github.com/streamflow/streamflow/structured/logical"
)

// currentDatabase is where names without a database are looked for.
func (s *Session) currentDatabase() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.database == "" {
		return catalog.Default
	}
	return s.database
}

func (s *Session) use(p *logical.Use) error {
	parts := p.Name
	if len(parts) == 1 && strings.EqualFold(parts[0], catalog.TheCatalog) {
		parts = []string{catalog.Default}
	}
	name := databaseName(parts)
	d, ok := s.engine.opts.Catalog.Database(name)
	if !ok {
		return placed(s.engine.opts.Catalog.NoDatabase(name), p.Pos, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database = d.Name
	return nil
}

// databaseName is a database's name without the catalog's.
func databaseName(parts []string) string {
	if len(parts) > 1 && strings.EqualFold(parts[0], catalog.TheCatalog) {
		parts = parts[1:]
	}
	return strings.Join(parts, ".")
}

// newName is the catalog's name of a table or view that is to be made. Its database must be there; a name with a dot whose first
// part is no database is a name of its own, as topics have them.
func (s *Session) newName(parts []string) (string, error) {
	name := catalog.Name(parts, s.currentDatabase())
	if db := strings.ToLower(name); strings.HasPrefix(db, "database:") || strings.HasPrefix(db, "function:") {
		return "", usererr.New("INVALID_IDENTIFIER", "42602", "A table cannot be called `%s`.", name).WithFix("Choose a name without a colon.")
	}
	return name, nil
}

// existingName is the catalog's name of a table or view, the first that there is.
func (s *Session) existingName(ctx context.Context, parts []string) string {
	names := catalog.Names(parts, s.currentDatabase())
	for _, n := range names {
		if _, ok, err := s.engine.opts.Catalog.Table(ctx, n); ok || err != nil {
			return n
		}
		if _, ok := s.engine.opts.Catalog.View(n); ok {
			return n
		}
	}
	return names[0]
}

func (s *Session) createDatabase(ctx context.Context, p *logical.CreateDatabase) error {
	if _, ok := s.engine.opts.Catalog.Database(p.Name); ok && p.IfNotExists {
		return nil
	}
	return s.engine.opts.Catalog.CreateDatabase(ctx, catalog.Database{Name: p.Name, Properties: p.Properties})
}

// dropDatabase removes a database; sessions that are in it go back to the default one when they are told of it.
func (s *Session) dropDatabase(ctx context.Context, p *logical.DropDatabase) error {
	d, ok := s.engine.opts.Catalog.Database(p.Name)
	if !ok && p.IfExists {
		return nil
	}
	if err := s.engine.opts.Catalog.DropDatabase(ctx, p.Name, p.Cascade); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.EqualFold(s.database, d.Name) {
		s.database = ""
	}
	return nil
}

// showDefinition carries out what of SHOW and DESCRIBE is about databases and declarations.
func (s *Session) showDefinition(ctx context.Context, p *logical.Show, match func(string) bool) (structured.Rows, error) {
	c, schema := s.engine.opts.Catalog, showSchema(p.What)
	var rows [][]any
	switch p.What {
	case "databases":
		for _, n := range c.Databases() {
			if match(n) {
				rows = append(rows, []any{n})
			}
		}
	case "catalogs":
		if match(catalog.TheCatalog) {
			rows = append(rows, []any{catalog.TheCatalog})
		}
	case "current database":
		rows = append(rows, []any{catalog.TheCatalog, s.currentDatabase()})
	case "database":
		d, ok := c.Database(databaseName(p.Name))
		if !ok {
			return nil, placed(c.NoDatabase(databaseName(p.Name)), p.Pos, "")
		}
		rows = append(rows, []any{"Catalog Name", catalog.TheCatalog}, []any{"Namespace Name", d.Name}, []any{"Comment", d.Properties["comment"]})
	case "table extended":
		return s.showExtended(ctx, p, match)
	case "partitions", "properties":
		t, err := s.readable(ctx, p.Name, p.Pos)
		if err != nil {
			return nil, err
		}
		if f, ok := t.(*file.Table); ok && p.What == "partitions" {
			dirs, known, err := f.Partitions()
			if err != nil {
				return nil, err
			}
			for _, d := range dirs {
				rows = append(rows, []any{d})
			}
			if known {
				break
			}
		}
		if p.What == "partitions" {
			return nil, usererr.New("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "42601", "The partition command is invalid. Table `%s` is not partitioned.", t.Name()).At(p.Pos.Line, p.Pos.Col)
		}
		rows = propertyRows(shownOptions(t), p.Key, t.Name())
	}
	return table(schema, rows...)
}

// shownOptions are a table's options as its users know them.
func shownOptions(t logical.Table) map[string]string {
	out := map[string]string{}
	managed := t.Options()[catalog.OptionManaged] == "true"
	for k, v := range t.Options() {
		if k != catalog.OptionManaged && !strings.HasPrefix(k, "streamflow.file.") && !(managed && k == "path") {
			out[k] = strings.ReplaceAll(v, file.PathSeparator, ", ")
		}
	}
	return out
}

func propertyRows(options map[string]string, key, name string) (rows [][]any) {
	if key != "" {
		v, ok := options[key]
		if !ok {
			v = "Table " + name + " does not have property: " + key
		}
		return [][]any{{key, v}}
	}
	for _, k := range sortedKeys(options) {
		rows = append(rows, []any{k, options[k]})
	}
	return rows
}

func (s *Session) showExtended(ctx context.Context, p *logical.Show, match func(string) bool) (structured.Rows, error) {
	plain := &logical.Show{What: "tables", Name: p.Name, Pos: p.Pos}
	entries, err := s.entries(ctx, plain, match)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, e := range entries {
		info := "Type: VIEW\n"
		if t, err := s.readable(ctx, []string{e[0].(string), e[1].(string)}, expr.Pos{}); err == nil && e[0] != "" {
			info = "Type: TABLE\nProvider: " + t.Provider() + "\n"
			for _, k := range sortedKeys(shownOptions(t)) {
				info += k + ": " + t.Options()[k] + "\n"
			}
			info += "Schema: " + visible(t).String() + "\n"
		}
		rows = append(rows, append(e, info))
	}
	return table(showSchema(p.What), rows...)
}
