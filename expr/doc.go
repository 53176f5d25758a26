// Package expr holds typed expression trees as data, the table of functions, and their vectorised evaluation.
//
// A tree is unresolved when a parser or client made it (UnresolvedAttr, UnresolvedCall, Star), resolved once the analyser
// has given every node its type (Attr, Call), and bound when the planner has replaced each Attr by the position of its
// column (Column). Bound trees travel inside fragments and are compiled where they run:
//
//	text / DataFrame / Connect ──▶ unresolved ──analyse──▶ resolved ──Bind──▶ bound ──Compile──▶ Program.Eval(batch) ▶ vector
//
// Nodes are immutable: WithChildren returns a new node. The package knows nothing of plans, tables or SQL text.
package expr
