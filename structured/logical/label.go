package logical

// Label is what a user says of the stateful operator that a node becomes in a streaming query: /*+ NAME('x') */ and
// /*+ STATE_TTL('1 hour') */ in SQL, df.hint("name", "x") on a DataFrame.
type Label struct {
	// Name is the operator's own name: under it its state is found again after the query was edited. "" for none.
	Name string
	// TTL is how long an entry of its state lives after its last change, in microseconds; 0 is what the query has.
	TTL int64
}

// Labelled is a node that becomes a stateful operator in a streaming query.
type Labelled interface {
	Plan
	// OperatorLabel is the node's label.
	OperatorLabel() Label
	// WithLabel returns the node with another label.
	WithLabel(l Label) Plan
}

func (p *Aggregate) OperatorLabel() Label   { return p.Label }
func (p *Aggregate) WithLabel(l Label) Plan { c := *p; c.Label = l; return &c }
func (p *Dedup) OperatorLabel() Label       { return p.Label }
func (p *Dedup) WithLabel(l Label) Plan     { c := *p; c.Label = l; return &c }
func (p *Join) OperatorLabel() Label        { return p.Label }
func (p *Join) WithLabel(l Label) Plan      { c := *p; c.Label = l; return &c }

// String is the label as plans show it, "" when there is none.
func (l Label) String() string {
	if l.Name == "" {
		return ""
	}
	return ", name " + l.Name
}
