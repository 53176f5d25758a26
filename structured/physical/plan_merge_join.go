package physical

import (
	"strings"

	"github.com/streamflow/streamflow/column"
)

// PreferSortMergeJoin is the setting (Spark's) that makes joins whose sides are both cut by key sort them and merge them, rather
// than build a table of one. Where it is not set, that is done when it costs less: both sides are sorted already, or the side that
// would be the table is so large that its files would have to be cut more than once.
const PreferSortMergeJoin = "spark.sql.join.preferSortMergeJoin"

// hugeBuild is how many bytes of a partition's build side are too many for a table that is cut into files.
const hugeBuild = 16 << 30

// rather says why a join for which both sides are cut by key should merge them, "" when it should not.
func (p *planner) rather(j *joining, hint string) string {
	if j.how != "shuffle" || hint == "shuffle_hash" || len(j.op.LeftKeys) == 0 || p.opt.Streaming {
		return ""
	}
	built := j.right
	if j.op.BuildLeft {
		built = j.left
	}
	switch {
	case strings.EqualFold(p.opt.Conf[PreferSortMergeJoin], "true"):
		return "merge joins are preferred"
	case j.inputs[0].isSorted(orderOf(j.inputs[0], j.op.LeftKeys)) && j.inputs[1].isSorted(orderOf(j.inputs[1], j.op.RightKeys)):
		return "both sides are sorted by the keys"
	case built.Bytes/int64(max(p.parts, 1)) > hugeBuild:
		return "the smaller side has " + sizeText(built.Bytes)
	}
	return ""
}

func orderOf(n *Node, cols []int) []sortedBy {
	out := make([]sortedBy, len(cols))
	for i, c := range cols {
		out[i] = sortedBy{id: n.Output[c].ID, nullsFirst: true}
	}
	return out
}

// mergeSorted brings rows of equal keys of both sides together and sorts them, unless they are.
func (j *joining) mergeSorted(p *planner, why string) {
	if j.left.Parts == 1 && j.right.Parts == 1 {
		j.inputs = []*Node{j.left, j.right}
	} else {
		j.shuffle(p)
	}
	j.merge, j.how = true, "merge"
	if j.why != "" {
		why = j.why + "; " + why
	}
	j.why = why
	for i, cols := range [][]int{j.op.LeftKeys, j.op.RightKeys} {
		keys := make([]column.SortKey, len(cols))
		names := make([]string, len(cols))
		for k, c := range cols {
			keys[k] = column.SortKey{Col: c, NullsFirst: true}
			names[k] = j.inputs[i].Output[c].Name
		}
		j.inputs[i] = p.sortedOn(j.inputs[i], keys, "["+strings.Join(names, ", ")+"]")
	}
}
