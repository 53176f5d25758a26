package catalog

import (
	"sort"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/structured/logical"
)

// Views are a session's temporary views: names of plans, unresolved, so that each use is resolved anew.
type Views struct {
	mu    sync.RWMutex
	plans map[string]view
}

type view struct {
	name string
	plan logical.Plan
}

// NewViews returns no views.
func NewViews() *Views { return &Views{plans: map[string]view{}} }

// Put names a plan.
func (v *Views) Put(name string, plan logical.Plan, replace bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.ToLower(name)
	if _, taken := v.plans[key]; taken && !replace {
		return exists(name, "temporary view")
	}
	v.plans[key] = view{name, plan}
	return nil
}

// Get returns the plan of a view. A nil Views has none.
func (v *Views) Get(name string) (logical.Plan, bool) {
	if v == nil {
		return nil, false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	w, ok := v.plans[strings.ToLower(name)]
	return w.plan, ok
}

// Drop forgets a view and reports whether there was one.
func (v *Views) Drop(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.plans[strings.ToLower(name)]
	delete(v.plans, strings.ToLower(name))
	return ok
}

// Names are the views, sorted.
func (v *Views) Names() []string {
	if v == nil {
		return nil
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	out := make([]string, 0, len(v.plans))
	for _, w := range v.plans {
		out = append(out, w.name)
	}
	sort.Strings(out)
	return out
}
