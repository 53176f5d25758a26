package logical

import "github.com/streamflow/streamflow/expr"

// ManageStream does something with a streaming query that there is, or with one of its savepoints.
type ManageStream struct {
	Do    string // one of the words below
	Query string
	Name  string // of the savepoint; of the topic that a replay goes to
	From  string // of a replay: its bounds in time
	To    string
	Parts int // parallelism of a rescale
	Pos   expr.Pos
}

// What ManageStream does.
const (
	PauseStream     = "pause"
	ResumeStream    = "resume"
	ReplayStream    = "replay"
	RescaleStream   = "rescale"
	CreateSavepoint = "create savepoint"
	DropSavepoint   = "drop savepoint"
)

func (p *ManageStream) Children() []Plan           { return nil }
func (p *ManageStream) WithChildren([]Plan) Plan   { return p }
func (p *ManageStream) Exprs() []expr.Expr         { return nil }
func (p *ManageStream) WithExprs([]expr.Expr) Plan { return p }
func (p *ManageStream) Output() []*expr.Attr       { return nil }
func (p *ManageStream) Resolved() bool             { return true }

func (p *ManageStream) String() string {
	s := "ManageStream " + p.Do + " " + p.Query
	if p.Name != "" {
		s += " " + p.Name
	}
	return s
}
