package rdd

import "github.com/streamflow/streamflow/column"

// LateReader is a Reader that can leave columns unread until it is known which rows are wanted.
type LateReader interface {
	Reader
	// NextFirst is Next that reads only the columns of first; the others' vectors are nil.
	NextFirst(first []int) (*column.Batch, error)
	// Rest is the rows sel (ascending) of the batch that NextFirst returned last, with all columns, as a batch of len(sel)
	// rows. It may be called once for each, or not at all; both batches are valid until the next Next or NextFirst.
	Rest(sel []int32) (*column.Batch, error)
}

// Late returns r as a reader that can leave columns unread, if it is one. Wrappers of readers pass the question on by a method
// of this name.
func Late(r Reader) (LateReader, bool) {
	if l, ok := r.(interface{ Late() (LateReader, bool) }); ok {
		return l.Late()
	}
	return nil, false
}
