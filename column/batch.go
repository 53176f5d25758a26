package column

// Batch is N rows of the schema's columns. len(Cols) == len(Schema.Fields); every column has N rows and none is Const.
type Batch struct {
	Schema *Schema
	N      int
	Cols   []*Vector

	// Objects carries the rows of a typed RDD (a []T) through narrow chains; Cols is empty then.
	Objects any
}

// BatchRows is the number of rows that operators aim for in a batch; ExchangeRows is the aim at exchanges and files.
const (
	BatchRows    = 4096
	ExchangeRows = 65536
)

// NewBatch returns a batch over the columns; n is its row count (needed when there are no columns).
func NewBatch(schema *Schema, n int, cols ...*Vector) *Batch {
	return &Batch{Schema: schema, N: n, Cols: cols}
}
