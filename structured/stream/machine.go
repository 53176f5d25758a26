package stream

import (
	"encoding/json"
	"fmt"

	"maps"
	"slices"
	"sync"

	"github.com/streamflow/streamflow/rdd"
)

// MachineName is the machine's name in the metadata log.
const MachineName = "queries"

// Machine is the replicated state machine of all query records. Apply is deterministic and the only way to change it;
// reading is safe from any goroutine.
type Machine struct {
	mu      sync.RWMutex
	queries map[string]*Record
}

// NewMachine returns an empty machine.
func NewMachine() *Machine { return &Machine{queries: map[string]*Record{}} }

// Name is MachineName.
func (m *Machine) Name() string { return MachineName }

// Command is one change of one query. Exactly one of the pointers is set.
type Command struct {
	Query  string     `json:"query"`
	Create *CreateCmd `json:"create,omitempty"`
	Claim  *ClaimCmd  `json:"claim,omitempty"`
	Plan   *Planned   `json:"plan,omitempty"`
	Commit *Commit    `json:"commit,omitempty"`
	Status *StatusCmd `json:"status,omitempty"`
	Shape  *ShapeCmd  `json:"shape,omitempty"`
	Pause  *bool      `json:"pause,omitempty"` // hold the query after the batch in hand, or let it go on
	Drop   bool       `json:"drop,omitempty"`
}

// CreateCmd registers a query. A query of that name that is not running is replaced when Replace is set.
type CreateCmd struct {
	ID         string `json:"id"`
	Definition []byte `json:"definition"`
	ProducerID int64  `json:"producerId"`
	Replace    bool   `json:"replace,omitempty"`
	Node       int32  `json:"node,omitempty"` // that runs it
}

// ClaimCmd makes the caller the query's driver, under the next epoch. StartOffsets are kept only the first time.
type ClaimCmd struct {
	StartOffsets map[string][]int64 `json:"startOffsets,omitempty"`
}

// ShapeCmd gives a query another number of partitions from its next batch on. Epoch is that of the driver that the query had
// when its state was looked at.
type ShapeCmd struct {
	Epoch      int64          `json:"epoch"`
	Batch      int64          `json:"batch"` // the last committed one
	Definition []byte         `json:"definition"`
	Was        map[string]int `json:"was"` // partitions of each operator's state, by its name
	Parts      map[string]int `json:"parts"`
}

// StatusCmd moves a query to a status. Epoch 0 means on behalf of the user, not of a driver.
type StatusCmd struct {
	Epoch  int64  `json:"epoch"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`
}

// Reply is the answer to a command: the record as it now is, or why the command was refused.
type Reply struct {
	Record  *Record `json:"record,omitempty"`
	Refused string  `json:"refused,omitempty"` // one of the Refused* reasons
}

// Reasons to refuse a command.
const (
	RefusedFenced  = "fenced"   // another driver has claimed the query since
	RefusedUnknown = "unknown"  // no such query
	RefusedExists  = "exists"   // a query of that name is there already
	RefusedOrder   = "order"    // not the batch that comes next
	RefusedEnded   = "finished" // nothing follows the end of the input
)

// Apply carries out an encoded Command and returns an encoded Reply.
func (m *Machine) Apply(cmd []byte) ([]byte, error) {
	var c Command
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("stream: query command: %w", err)
	}
	m.mu.Lock()
	r := m.apply(&c)
	out, err := json.Marshal(r)
	m.mu.Unlock()
	return out, err
}

func (m *Machine) apply(c *Command) Reply {
	q := m.queries[c.Query]
	if c.Create != nil {
		return m.create(c.Query, q, c.Create)
	}
	if q == nil {
		return Reply{Refused: RefusedUnknown}
	}
	switch {
	case c.Claim != nil:
		return q.claim(c.Claim)
	case c.Plan != nil:
		return q.plan(c.Plan)
	case c.Commit != nil:
		return q.commit(c.Commit)
	case c.Status != nil:
		return q.status(c.Status)
	case c.Shape != nil:
		return q.reshape(c.Shape)
	case c.Pause != nil:
		q.Paused = *c.Pause
	case c.Drop:
		delete(m.queries, c.Query)
	}
	return Reply{Record: q}
}

func (m *Machine) create(name string, old *Record, c *CreateCmd) Reply {
	if old != nil && (old.Status == Running || !c.Replace) {
		return Reply{Refused: RefusedExists, Record: old}
	}
	m.queries[name] = &Record{Name: name, ID: c.ID, Definition: c.Definition, ProducerID: c.ProducerID, Node: c.Node, Status: Running}
	return Reply{Record: m.queries[name]}
}

func (r *Record) claim(c *ClaimCmd) Reply {
	r.Epoch++
	r.Status, r.Error = Running, ""
	if r.StartOffsets == nil && c.StartOffsets != nil {
		r.StartOffsets = offsetsOf(c.StartOffsets)
	}
	return Reply{Record: r}
}

func (r *Record) reshape(c *ShapeCmd) Reply {
	switch {
	case c.Epoch != r.Epoch:
		return Reply{Refused: RefusedFenced, Record: r}
	case c.Batch != r.NextBatch()-1:
		return Reply{Refused: RefusedOrder, Record: r}
	}
	shapes := maps.Clone(r.Shapes)
	if shapes == nil {
		shapes = map[string][]rdd.StateShape{}
	}
	for op, parts := range c.Parts {
		shapes[op] = rdd.Reshape(shapes[op], c.Was[op], parts, c.Batch)
	}
	r.Shapes, r.Definition, r.Planned = shapes, c.Definition, nil
	return Reply{Record: r}
}

func (r *Record) plan(p *Planned) Reply {
	if refused := r.refuse(p.Epoch, p.Batch, false); refused != "" {
		return Reply{Refused: refused, Record: r}
	}
	r.Planned = p
	return Reply{Record: r}
}

func (r *Record) commit(c *Commit) Reply {
	if refused := r.refuse(c.Epoch, c.Batch, c.Load != nil); refused != "" {
		return Reply{Refused: refused, Record: r}
	}
	r.Committed, r.Planned = c, nil
	if c.Load != nil {
		r.load(c.Load)
		c.Load = nil // the record has it now
	}
	if r.Totals == nil {
		r.Totals = map[string]int64{}
	}
	for k, n := range c.Counters {
		r.Totals[k] += n
	}
	// The caller has what it sent; only the acceptance travels back.
	return Reply{}
}

// load takes over what a batch that brought state over changes.
func (r *Record) load(l *Loaded) {
	r.Loaded, r.StateNames = l.ID, l.StateNames
	if l.Definition != nil {
		r.Definition = l.Definition
	}
	if l.StartOffsets != nil {
		r.StartOffsets = l.StartOffsets
	}
}

// refuse says why a driver of that epoch may not decide about that batch, or "". After the end of the input only a batch that
// brings state over follows: its query may read on.
func (r *Record) refuse(epoch, batch int64, loads bool) string {
	switch {
	case epoch != r.Epoch:
		return RefusedFenced
	case r.Committed != nil && r.Committed.Ended && !loads:
		return RefusedEnded
	case batch != r.NextBatch():
		return RefusedOrder
	}
	return ""
}

func (r *Record) status(c *StatusCmd) Reply {
	if c.Epoch != 0 && c.Epoch != r.Epoch {
		return Reply{Refused: RefusedFenced, Record: r}
	}
	r.Status, r.Error = c.Status, c.Error
	return Reply{Record: r}
}

// Query returns a copy of a query's record.
func (m *Machine) Query(name string) (Record, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	q, ok := m.queries[name]
	if !ok {
		return Record{}, false
	}
	return q.clone(), true
}

// Queries returns copies of all records, by name.
func (m *Machine) Queries() []Record {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Record
	for _, name := range slices.Sorted(maps.Keys(m.queries)) {
		out = append(out, m.queries[name].clone())
	}
	return out
}

// clone copies what Apply changes in place; the rest is replaced whole and may be shared.
func (r *Record) clone() Record {
	c := *r
	c.Totals = maps.Clone(r.Totals)
	return c
}

// Snapshot returns all records; Restore replaces all of them by what Snapshot returned.
func (m *Machine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := json.Marshal(m.queries)
	if err != nil {
		panic("BUG: a query record that cannot be encoded: " + err.Error())
	}
	return b
}

func (m *Machine) Restore(state []byte) error {
	queries := map[string]*Record{}
	if err := json.Unmarshal(state, &queries); err != nil {
		return fmt.Errorf("stream: restore query records: %w", err)
	}
	m.mu.Lock()
	m.queries = queries
	m.mu.Unlock()
	return nil
}
