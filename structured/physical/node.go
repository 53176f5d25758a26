package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Node is an operator of the plan over its children's partitions. An Exchange node has no operator: it moves rows.
type Node struct {
	ID     string // "HashAggregate-2": kind and position among its kind, the same in each planning of the same query
	Kind   string // "HashAggregate"
	Detail string // what it does, one line, for explain
	Notes  []string
	Op     rdd.Operator
	Kids   []*Node
	Bases  []int // union: first partition of each child
	Parts  int
	Output []*expr.Attr
	Rows   int64 // estimated rows, -1 when unknown
	Bytes  int64 // estimated bytes, -1 when unknown
	// counted: the estimates rest on statistics of all tables below, not only on the sizes of files.
	counted bool

	// Exchange, when not nil, makes the node an exchange.
	Exchange *Exchange

	props     props
	source    *Source      // leaves
	watermark *WatermarkOp // watermark operators
	stateful  *StatefulOp  // operators that keep state
	joining   *joining     // joins, until the plan is finished
	shared    bool         // several exchanges carry its rows
	shares    bool         // its input is that of another operator too, where explain draws it
	fixed     *Node        // joins of a stream: the table's plan, which runs inside the task
	empty     bool         // it has no rows, as was measured
	weighs    bool         // the operator reads its input's weights, and passes them on only if props.changes says so
}

// Exchange says how rows move.
type Exchange struct {
	Broadcast   bool
	Partitioner rdd.Partitioner
	Fixed       bool // the user chose the number of partitions

	// What adaptive execution knows and decides; see Adaptive.
	measured *Measured  // what was written, once it is known
	whole    bool       // every task reads all reduce partitions
	later    bool       // the stage below had better wait
	read     bool       // it is decided what each task reads
	reads    []rdd.Read // by task; nil: its own reduce partition
}

var (
	bigint    = column.Of(column.Int64)
	integer   = column.Of(column.Int32)
	timestamp = column.Of(column.Timestamp)
)

// Schema is the column schema of the node's batches.
func (n *Node) Schema() *column.Schema { return schemaOf(n.Output) }

func schemaOf(attrs []*expr.Attr) *column.Schema {
	s := &column.Schema{Fields: make([]column.Field, len(attrs))}
	for i, a := range attrs {
		s.Fields[i] = column.Field{Name: a.Name, Type: a.Typ, Nullable: a.Null}
	}
	return s
}

// indexOf is the position of an attribute in a list, -1 when it is not there.
func indexOf(attrs []*expr.Attr, id int64) int {
	for i, a := range attrs {
		if a.ID == id {
			return i
		}
	}
	return -1
}

// Walk visits n and everything below it, children first, and what several operators read once.
func (n *Node) Walk(visit func(*Node)) { n.walk(visit, map[*Node]bool{}) }

func (n *Node) walk(visit func(*Node), seen map[*Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	for _, k := range n.Kids {
		k.walk(visit, seen)
	}
	visit(n)
}
