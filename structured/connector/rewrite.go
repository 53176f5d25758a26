package connector

import "context"

// Rewriter is a table that can be changed in place by writing anew what is in it.
type Rewriter interface {
	Writer
	// Rewrite is the table as it is now: its scans read just that, and overwriting it replaces just that, so that rows which
	// others append meanwhile stay.
	Rewrite(ctx context.Context) (Writer, error)
}
