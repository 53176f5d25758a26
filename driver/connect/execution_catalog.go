package connect

import (
	"context"
	"path"
	"strings"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// Names that Spark gives what there is only one of.
const (
	theCatalog  = "spark_catalog"
	theDatabase = "default"
)

// catalog answers the operations of spark.catalog. Clients read the columns by position.
func (e *execution) catalog(ctx context.Context, c *pb.Catalog) error {
	switch k := c.GetCatType().(type) {
	case *pb.Catalog_CurrentDatabase:
		name, err := e.currentDatabase(ctx)
		if err != nil {
			return err
		}
		return e.emitText(ctx, "current_database", name)
	case *pb.Catalog_SetCurrentDatabase:
		return e.use(ctx, k.SetCurrentDatabase.GetDbName())
	case *pb.Catalog_CurrentCatalog:
		return e.emitText(ctx, "current_catalog", theCatalog)
	case *pb.Catalog_SetCurrentCatalog:
		return e.onlyName(ctx, "CATALOG_NOT_FOUND", "catalog", k.SetCurrentCatalog.GetCatalogName(), theCatalog)
	case *pb.Catalog_ListCatalogs:
		return e.listCatalogs(ctx, k.ListCatalogs.Pattern)
	case *pb.Catalog_ListDatabases:
		return e.listDatabases(ctx, k.ListDatabases.Pattern)
	case *pb.Catalog_GetDatabase:
		name, ok, err := e.database(ctx, k.GetDatabase.GetDbName())
		if err == nil && !ok {
			err = notFound("SCHEMA_NOT_FOUND", "42704", "schema", k.GetDatabase.GetDbName())
		}
		if err != nil {
			return err
		}
		return e.listDatabases(ctx, &name)
	case *pb.Catalog_DatabaseExists:
		_, ok, err := e.database(ctx, k.DatabaseExists.GetDbName())
		if err != nil {
			return err
		}
		return e.emitBool(ctx, ok)
	case *pb.Catalog_ListTables:
		return e.listTables(ctx, k.ListTables.GetDbName(), k.ListTables.Pattern, false)
	case *pb.Catalog_ListViews:
		return e.listTables(ctx, k.ListViews.GetDbName(), k.ListViews.Pattern, true)
	case *pb.Catalog_GetTable:
		return e.getTable(ctx, k.GetTable.GetTableName())
	case *pb.Catalog_TableExists:
		return e.tableExists(ctx, k.TableExists.GetTableName())
	case *pb.Catalog_ListColumns:
		return e.listColumns(ctx, k.ListColumns.GetTableName())
	case *pb.Catalog_ListFunctions:
		return e.listFunctions(ctx, k.ListFunctions.Pattern)
	case *pb.Catalog_GetFunction:
		return e.getFunction(ctx, k.GetFunction.GetFunctionName())
	case *pb.Catalog_FunctionExists:
		_, ok := expr.Lookup(k.FunctionExists.GetFunctionName())
		return e.emitBool(ctx, ok)
	case *pb.Catalog_CreateTable:
		t := k.CreateTable
		return e.createTable(ctx, t.GetTableName(), t.GetPath(), t.GetSource(), t.GetSchema(), t.GetOptions())
	case *pb.Catalog_CreateExternalTable:
		t := k.CreateExternalTable
		return e.createTable(ctx, t.GetTableName(), t.GetPath(), t.GetSource(), t.GetSchema(), t.GetOptions())
	case *pb.Catalog_DropTempView:
		return e.dropView(ctx, k.DropTempView.GetViewName())
	case *pb.Catalog_DropGlobalTempView:
		return e.dropView(ctx, "global_temp."+k.DropGlobalTempView.GetViewName())
	case *pb.Catalog_DropTable:
		return e.dropNamed(ctx, k.DropTable.GetTableName(), false, k.DropTable.GetIfExists())
	case *pb.Catalog_DropView:
		return e.dropNamed(ctx, k.DropView.GetViewName(), true, k.DropView.GetIfExists())
	case *pb.Catalog_IsCached:
		return e.isCached(ctx, k.IsCached.GetTableName())
	case *pb.Catalog_CacheTable:
		return e.named(ctx, k.CacheTable.GetTableName(), func(parts []string) logical.Plan { return &logical.CacheTable{Name: parts, Lazy: true} })
	case *pb.Catalog_UncacheTable:
		return e.named(ctx, k.UncacheTable.GetTableName(), func(parts []string) logical.Plan { return &logical.Uncache{Name: parts} })
	case *pb.Catalog_AnalyzeTable:
		return e.analyzeTable(ctx, k.AnalyzeTable.GetTableName(), k.AnalyzeTable.GetNoScan())
	case *pb.Catalog_RefreshTable:
		return e.named(ctx, k.RefreshTable.GetTableName(), func(parts []string) logical.Plan { return &logical.Refresh{Name: parts} })
	case *pb.Catalog_ClearCache:
		return e.does(ctx, &logical.Uncache{})
	case *pb.Catalog_RefreshByPath:
		return e.emitNothing(ctx)
	case *pb.Catalog_GetCreateTableString:
		return e.showCreate(ctx, k.GetCreateTableString.GetTableName())
	case nil:
		return notSet("spark.connect.Catalog", "CATTYPE_NOT_SET")
	}
	name := oneofName(c, "cat_type")
	return unsupported(feature(name), "The catalog operation %s", name)
}

func text(name string, nullable bool) column.Field {
	return column.Field{Name: name, Type: column.Of(column.String), Nullable: nullable}
}

func boolean(name string) column.Field {
	return column.Field{Name: name, Type: column.Of(column.Bool)}
}

func namespace(name string) column.Field {
	return column.Field{Name: name, Type: column.ListOf(column.Of(column.String), true), Nullable: true}
}

var (
	catalogSchema  = column.NewSchema(text("name", false), text("description", true))
	databaseSchema = column.NewSchema(text("name", false), text("catalog", true), text("description", true), text("locationUri", true))
	tableSchema    = column.NewSchema(text("name", false), text("catalog", true), namespace("namespace"), text("description", true), text("tableType", true), boolean("isTemporary"))
	functionSchema = column.NewSchema(text("name", false), text("catalog", true), namespace("namespace"), text("description", true), text("className", true), boolean("isTemporary"))
	columnSchema   = column.NewSchema(text("name", false), text("description", true), text("dataType", false), boolean("nullable"), boolean("isPartition"), boolean("isBucket"), boolean("isCluster"))
)

func (e *execution) emitBool(ctx context.Context, v bool) error {
	return e.emitTable(ctx, column.NewSchema(boolean("value")), []any{v})
}

func (e *execution) emitNothing(ctx context.Context) error {
	return e.emitTable(ctx, column.NewSchema())
}

// onlyName accepts the one name that there is.
func (e *execution) onlyName(ctx context.Context, code, what, name, want string) error {
	if !strings.EqualFold(name, want) {
		return notFound(code, "42704", what, name)
	}
	return e.emitNothing(ctx)
}

func notFound(code, state, what, name string) *usererr.Error {
	return usererr.New(code, state, "The %s `%s` cannot be found.", what, name).With(what+"Name", "`"+name+"`")
}

// matches is Spark's pattern for names: * is anything, | separates alternatives, case does not matter.
func matches(pattern *string, name string) bool {
	if pattern == nil {
		return true
	}
	for _, p := range strings.Split(strings.ToLower(*pattern), "|") {
		if ok, err := path.Match(strings.TrimSpace(p), strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	return false
}

func (e *execution) listCatalogs(ctx context.Context, pattern *string) error {
	if !matches(pattern, theCatalog) {
		return e.emitTable(ctx, catalogSchema)
	}
	return e.emitTable(ctx, catalogSchema, []any{theCatalog, nil})
}

// listed is a line of SHOW TABLES or SHOW VIEWS.
type listed struct {
	database  string
	name      string
	temporary bool
	view      bool
}

// names runs SHOW TABLES or SHOW VIEWS in the backend.
func (e *execution) names(ctx context.Context, what, database string) ([]listed, error) {
	show := &logical.Show{What: what}
	if database != "" {
		show.Name = strings.Split(database, ".")
	}
	rows, err := e.execute(ctx, show)
	if err != nil {
		return nil, err
	}
	schema := rows.Schema()
	batches, err := collect(ctx, rows, 0)
	if err != nil {
		return nil, err
	}
	name, temp, db := firstIndex(schema, "tableName", "viewName", "name"), schema.Index("isTemporary"), schema.Index("namespace")
	if name < 0 {
		return nil, invalidPlan("CATALOG", "The backend lists %s without their names.", what)
	}
	var out []listed
	for _, b := range batches {
		for i := range b.N {
			l := listed{name: string(b.Cols[name].Bytes(i)), view: what == "views"}
			if db >= 0 {
				l.database = string(b.Cols[db].Bytes(i))
			}
			if temp >= 0 {
				l.temporary, _ = column.Value(b.Cols[temp], i).(bool)
			}
			out = append(out, l)
		}
	}
	return out, nil
}

func firstIndex(s *column.Schema, names ...string) int {
	for _, n := range names {
		if i := s.Index(n); i >= 0 {
			return i
		}
	}
	return -1
}

// tables are tables and views, each once: SHOW TABLES lists views too.
func (e *execution) tables(ctx context.Context, database string) ([]listed, error) {
	all, err := e.names(ctx, "tables", database)
	if err != nil {
		return nil, err
	}
	views, err := e.names(ctx, "views", database)
	if err != nil {
		return nil, err
	}
	isView := map[string]listed{}
	for _, v := range views {
		isView[v.name] = v
	}
	for i, t := range all {
		if v, ok := isView[t.name]; ok {
			all[i] = v
			delete(isView, t.name)
		}
	}
	for _, v := range views {
		if _, left := isView[v.name]; left {
			all = append(all, v)
		}
	}
	return all, nil
}

func (t listed) row() []any {
	database := t.database
	if database == "" {
		database = theDatabase
	}
	switch {
	case t.temporary:
		return []any{t.name, nil, []any{}, nil, "TEMPORARY", true}
	case t.view:
		return []any{t.name, theCatalog, []any{database}, nil, "VIEW", false}
	}
	return []any{t.name, theCatalog, []any{database}, nil, "MANAGED", false}
}

func (e *execution) listTables(ctx context.Context, database string, pattern *string, viewsOnly bool) error {
	all, err := e.tables(ctx, database)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, t := range all {
		if matches(pattern, t.name) && (t.view || t.temporary || !viewsOnly) {
			rows = append(rows, t.row())
		}
	}
	return e.emitTable(ctx, tableSchema, rows...)
}

func (e *execution) getTable(ctx context.Context, name string) error {
	if _, err := e.tableSchema(ctx, name); err != nil {
		return err
	}
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	last := parts[len(parts)-1]
	database := ""
	if len(parts) > 1 {
		if _, ok, err := e.database(ctx, parts[len(parts)-2]); ok && err == nil {
			database = parts[len(parts)-2]
		}
	}
	all, err := e.tables(ctx, database)
	if err != nil {
		return err
	}
	for _, t := range all {
		if strings.EqualFold(t.name, last) {
			return e.emitTable(ctx, tableSchema, t.row())
		}
	}
	return e.emitTable(ctx, tableSchema, listed{name: last}.row())
}

// tableSchema is the schema of a named table or view.
func (e *execution) tableSchema(ctx context.Context, name string) (*column.Schema, error) {
	parts, err := structured.SplitName(name)
	if err != nil {
		return nil, err
	}
	info, err := e.session.backend.Analyze(ctx, &logical.UnresolvedTable{Parts: parts})
	if err != nil {
		return nil, err
	}
	return info.Schema, nil
}

// named carries out a command about a table or view, which must be there.
func (e *execution) named(ctx context.Context, name string, command func(parts []string) logical.Plan) error {
	if _, err := e.tableSchema(ctx, name); err != nil {
		return err
	}
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	return e.does(ctx, command(parts))
}

// does carries out a command that answers nothing.
func (e *execution) does(ctx context.Context, command logical.Plan) error {
	rows, err := e.execute(ctx, command)
	if err != nil {
		return err
	}
	if _, err := collect(ctx, rows, 0); err != nil {
		return err
	}
	return e.emitNothing(ctx)
}

func (e *execution) isCached(ctx context.Context, name string) error {
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	if _, err := e.tableSchema(ctx, name); err != nil {
		return err
	}
	list, err := e.shown(ctx, &logical.Show{What: "cached", Name: parts}, "name")
	if err != nil {
		return err
	}
	return e.emitBool(ctx, len(list) > 0)
}

func (e *execution) tableExists(ctx context.Context, name string) error {
	_, err := e.tableSchema(ctx, name)
	if u, ok := usererr.As(err); ok && u.Code == "TABLE_OR_VIEW_NOT_FOUND" {
		return e.emitBool(ctx, false)
	}
	if err != nil {
		return err
	}
	return e.emitBool(ctx, true)
}

func (e *execution) listColumns(ctx context.Context, table string) error {
	schema, err := e.tableSchema(ctx, table)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, f := range schema.Fields {
		rows = append(rows, []any{f.Name, nil, f.Type.String(), f.Nullable, false, false, false})
	}
	return e.emitTable(ctx, columnSchema, rows...)
}

func functionRow(f *expr.Function) []any {
	return []any{f.Name, nil, nil, f.Doc, "streamflow.expr." + f.Name, true}
}

func (e *execution) listFunctions(ctx context.Context, pattern *string) error {
	var rows [][]any
	for _, f := range expr.Functions() {
		if matches(pattern, f.Name) {
			rows = append(rows, functionRow(f))
		}
	}
	return e.emitTable(ctx, functionSchema, rows...)
}

func (e *execution) getFunction(ctx context.Context, name string) error {
	f, ok := expr.Lookup(name)
	if !ok {
		return usererr.New("UNRESOLVED_ROUTINE", "42883", "Cannot resolve routine `%s`.", name).With("routineName", "`"+name+"`")
	}
	return e.emitTable(ctx, functionSchema, functionRow(f))
}

// createTable declares a table and answers its rows, as the client's DataFrame over it does.
func (e *execution) createTable(ctx context.Context, name, location, source string, schema *pb.DataType, options map[string]string) error {
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	t := &logical.CreateTable{Name: parts, Provider: source, Options: options, Location: location}
	if schema != nil {
		s, err := schemaFromProto(schema)
		if err != nil {
			return err
		}
		t.Columns = s.Fields
	}
	rows, err := e.execute(ctx, t)
	if err != nil {
		return err
	}
	if _, err := collect(ctx, rows, 0); err != nil {
		return err
	}
	made, err := e.execute(ctx, &logical.UnresolvedTable{Parts: parts})
	if err != nil {
		return err
	}
	return e.emitRows(ctx, made)
}

// dropView answers whether there was such a view.
func (e *execution) dropView(ctx context.Context, name string) error {
	err := e.drop(ctx, name, true, false)
	if u, ok := usererr.As(err); ok && strings.HasSuffix(u.Code, "_NOT_FOUND") {
		return e.emitBool(ctx, false)
	}
	if err != nil {
		return err
	}
	return e.emitBool(ctx, true)
}

func (e *execution) dropNamed(ctx context.Context, name string, view, ifExists bool) error {
	if err := e.drop(ctx, name, view, ifExists); err != nil {
		return err
	}
	return e.emitNothing(ctx)
}

func (e *execution) drop(ctx context.Context, name string, view, ifExists bool) error {
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	rows, err := e.execute(ctx, &logical.Drop{Name: parts, View: view, IfExists: ifExists})
	if err != nil {
		return err
	}
	_, err = collect(ctx, rows, 0)
	return err
}

func (e *execution) showCreate(ctx context.Context, name string) error {
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	rows, err := e.execute(ctx, &logical.Show{What: "create table", Name: parts})
	if err != nil {
		return err
	}
	return e.emitRows(ctx, rows)
}
