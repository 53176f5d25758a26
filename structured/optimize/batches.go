package optimize

import "github.com/streamflow/streamflow/structured/logical"

// rule rewrites a plan; it returns the very same plan when it has nothing to do, which is how a batch knows its end.
type rule struct {
	name  string
	apply func(logical.Plan) logical.Plan
}

// batch is a list of rules that are applied together, once or until nothing changes.
type batch struct {
	name  string
	once  bool
	rules []rule
}

// batches is the optimizer: what is done, in which order. The reason stands beside each.
var batches = []batch{
	// Names have done their work; what follows sees through them.
	{"finish analysis", true, []rule{
		{"EliminateAliases", eliminateAliases},
	}},
}
