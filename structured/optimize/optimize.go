package optimize

import "github.com/streamflow/streamflow/structured/logical"

// maxRounds bounds a fixed-point batch; reaching it means that two rules undo each other.
const maxRounds = 100

// Optimize rewrites a resolved plan into one that gives the same result for less work.
func Optimize(p logical.Plan) logical.Plan {
	out, _ := optimize(p, false)
	return out
}

// Stage is what one batch of rules made of the plan.
type Stage struct {
	Batch string
	Rules []string // those that changed something
	Plan  logical.Plan
}

// Explain is Optimize with the plan after each batch that changed it.
func Explain(p logical.Plan) []Stage {
	_, stages := optimize(p, true)
	return stages
}

func optimize(p logical.Plan, trace bool) (logical.Plan, []Stage) {
	if logical.IsCommand(p) || isWrite(p) {
		return optimizeInside(p, trace)
	}
	var stages []Stage
	before := p
	for _, b := range batches {
		next, used := b.run(p)
		if trace && len(used) > 0 {
			stages = append(stages, Stage{b.name, used, next})
		}
		p = next
	}
	return keepNames(before, p), stages
}

// optimizeInside optimises a command's query. Views and EXPLAIN keep theirs as it was written.
func optimizeInside(p logical.Plan, trace bool) (logical.Plan, []Stage) {
	switch p.(type) {
	case *logical.CreateView, *logical.Explain:
		return p, nil
	}
	kids := p.Children()
	if len(kids) == 0 {
		return p, nil
	}
	q, stages := optimize(kids[0], trace)
	return p.WithChildren([]logical.Plan{q}), stages
}

// run applies the batch's rules in order, once or until none changes the plan, and returns the names of those that did.
func (b batch) run(p logical.Plan) (logical.Plan, []string) {
	var used []string
	seen := map[string]bool{}
	for round := 0; round < maxRounds; round++ {
		changed := false
		for _, r := range b.rules {
			next := r.apply(p)
			if next == p {
				continue
			}
			p, changed = next, true
			if !seen[r.name] {
				seen[r.name] = true
				used = append(used, r.name)
			}
		}
		if !changed || b.once {
			return p, used
		}
	}
	panic("BUG: optimizer batch " + b.name + " does not come to an end:\n" + logical.Format(p))
}
