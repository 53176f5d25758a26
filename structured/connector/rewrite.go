package connector

import "context"

// Rewriter is a table that can be changed in place by writing anew what is in it.
type Rewriter interface {
	Writer
	// Rewrite is the table as it is now: its scans read just that, and overwriting it replaces just that, so that rows which
	// others append meanwhile stay.
	Rewrite(ctx context.Context) (Writer, error)
}

// Divided is a table that Rewrite returned and that lies in parts, such as files, each of which can be replaced without the others.
type Divided interface {
	Writer
	// WithParts is the table with one more column, the last, of type string: the part that a row lies in.
	WithParts(column string) Writer
	// Only is the table with some of its parts, so that overwriting it leaves the others.
	Only(parts []string) Writer
}
