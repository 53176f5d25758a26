package catalog

import (
	"context"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// Catalog is the node's store of named tables and views. Errors are user errors: TABLE_OR_VIEW_NOT_FOUND with the nearest
// names, TABLE_OR_VIEW_ALREADY_EXISTS.
type Catalog interface {
	// Table opens a table by name; ok is false when there is none.
	Table(ctx context.Context, name string) (t logical.Table, ok bool, err error)
	// View returns the SQL text of a permanent view.
	View(name string) (sql string, ok bool)
	CreateTable(ctx context.Context, def TableDef) error
	CreateView(ctx context.Context, name, sql string, replace bool) error
	Drop(ctx context.Context, name string, view bool) error
	// List returns names of tables and views, sorted.
	List(ctx context.Context) ([]Entry, error)
}

// Entry is a line of SHOW TABLES.
type Entry struct {
	Name     string
	Kind     string // "table" or "view"
	Provider string
}

// TableDef is a table as declared.
type TableDef struct {
	Name      string
	Schema    *column.Schema // nil: to be inferred
	Provider  string
	Options   map[string]string
	EventTime string // event time column declared by WATERMARK FOR, or ""
	Delay     int64  // its delay, microseconds
	Replace   bool
}

// Provider opens tables of one kind from their declaration: path and options for files, a topic for "topic".
type Provider interface {
	Open(ctx context.Context, def TableDef) (logical.Table, error)
}
