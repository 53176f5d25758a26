package logical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Commands are plans that do something besides producing rows. Those without a query inside have no children.

// InsertInto writes the query into a table.
type InsertInto struct {
	Table     []string
	Columns   []string // may be nil: by position
	ByName    bool
	Overwrite bool
	Query     Plan
	Pos       expr.Pos
}

// CreateTable declares a table; As, when not nil, fills it.
type CreateTable struct {
	Name        []string
	Columns     []column.Field
	Provider    string // USING topic | parquet | csv | json …
	Options     map[string]string
	Location    string
	Watermark   *Watermark // WATERMARK FOR col AS col - INTERVAL … in the column list; Child is nil
	IfNotExists bool
	OrReplace   bool
	As          Plan
	Pos         expr.Pos
}

// CreateView names a query. SQL is its text when it came from SQL.
type CreateView struct {
	Name      []string
	Columns   []string
	Temporary bool
	OrReplace bool
	Query     Plan
	SQL       string
	Pos       expr.Pos
}

// Drop removes a table or view.
type Drop struct {
	Name     []string
	View     bool
	IfExists bool
	Pos      expr.Pos
}

// Show lists things: "tables", "table extended", "views", "functions", "databases", "columns", "queries", "create table",
// "properties", "partitions", "catalogs", "current database", "database", "cached" (whether the table is).
type Show struct {
	What    string
	Name    []string
	Pattern string
	Key     string // of "properties": the only one to show
	Pos     expr.Pos
}

// Describe prints a table's or a query's columns.
type Describe struct {
	Name     []string
	Extended bool
	Query    Plan
	Pos      expr.Pos
}

// Explain prints the stages of planning of a query: mode "simple", "extended" or "formatted". Mode "analyze" runs the query, and prints
// the plan that it ended with.
type Explain struct {
	Mode  string
	Query Plan
}

// SetConf reads or writes a session setting. Key "" lists all; Value nil reads.
type SetConf struct {
	Key   string
	Value *string
	Reset bool
}

// CreateStream starts a named streaming query: CREATE STREAMING QUERY name AS INSERT INTO …, or the start of a Spark
// Connect write stream.
type CreateStream struct {
	Name       string
	Query      Plan
	Sink       []string // table, or empty when Format is set
	Columns    []string // INSERT INTO t (columns); may be nil: by position
	ByName     bool
	Format     string // console, memory, topic, parquet …
	Options    map[string]string
	OutputMode string
	Trigger    string // "", "once", "available_now", or an interval such as "5 seconds"
	Start      string // "", "beginning", "now", a timestamp, or "savepoint:query/name"
	Replace    bool   // a query of the name, if there is one, goes on as this one
	MakeSink   bool   // the table Sink is made when there is none, with the query's columns, by the provider Format
	Pos        expr.Pos
}

// StopStream stops a streaming query by name or id. Drop forgets it too, with its state: the name is free again.
type StopStream struct {
	Name     string
	Drop     bool
	IfExists bool // Drop: no query of the name is no mistake
	Pos      expr.Pos
}

// Use names the database of the session: USE default.
type Use struct {
	Name []string
	Pos  expr.Pos
}
