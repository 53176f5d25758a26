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

// rewrites make expressions small and filters sink.
var rewrites = []rule{
	{"FoldConstants", foldConstants},
	{"PropagateNulls", propagateNulls},
	{"SimplifyBooleans", simplifyBooleans},
	{"SimplifyCasts", simplifyCasts},
	{"CombineFilters", combineFilters},
	{"PruneFilters", pruneFilters},
	{"CombineUnions", combineUnions},
	{"CombineLimits", combineLimits},
	{"PushFilterThroughProject", pushFilterThroughProject},
	{"PushFilterThroughJoin", pushFilterThroughJoin},
	{"PushFilterThroughAggregate", pushFilterThroughAggregate},
	{"PushFilterThroughUnion", pushFilterThroughUnion},
	{"PushFilterThroughRows", pushFilterThroughRows},
	{"PushJoinCondition", pushJoinCondition},
	{"OuterToInner", outerToInner},
	{"InferJoinNotNull", inferJoinNotNull},
	{"PushLimit", pushLimit},
	{"CollapseProjects", collapseProjects},
	{"EmptyRelations", emptyRelations},
}

// batches is the optimizer: what is done, in which order.
var batches = []batch{
	// Names have done their work; the rules below see through them. A watermark that nothing needs would only keep filters
	// from reaching the scan.
	{"finish analysis", true, []rule{
		{"EliminateAliases", eliminateAliases},
		{"WatermarksAtSources", watermarksAtSources},
		{"DropIdleWatermarks", dropIdleWatermarks},
		{"ReplaceDistinct", replaceDistinct},
		{"DropIdleSorts", dropIdleSorts},
	}},
	// Expressions become small and filters sink as far as they can; each uncovers work for the others.
	{"rewrite", false, rewrites},
	// Joins imply conditions that can be pushed on their own.
	{"imply", true, []rule{
		{"ImplyFilters", implyFilters},
	}},
	{"push what is implied", false, rewrites},
	// Filters are where they belong, so that what a relation brings to a join can be estimated.
	{"join order", true, []rule{
		{"ReorderJoins", reorderJoins},
	}},
	// What is read, carried and shuffled becomes as narrow as it can.
	{"prune columns", true, []rule{
		{"PruneColumns", pruneColumns},
	}},
	{"clean up", false, []rule{
		{"CollapseProjects", collapseProjects},
		{"DropIdleProjects", dropIdleProjects},
	}},
	// Last, for it hides filters from the other rules: the source may know how to skip what they exclude.
	{"scans", true, []rule{
		{"PushFilterIntoScan", pushFilterIntoScan},
		{"PushLimitIntoScan", pushLimitIntoScan},
	}},
}
