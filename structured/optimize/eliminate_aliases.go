package optimize

import "github.com/streamflow/streamflow/structured/logical"

// eliminateAliases removes the nodes that only named their child for the analyser.
func eliminateAliases(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		switch n := n.(type) {
		case *logical.PlanID:
			return n.Child
		case *logical.SubqueryAlias:
			return n.Child
		}
		return n
	})
}

// keepNames makes p's output that of before in names, too: a rule may not rename a result.
func keepNames(before, p logical.Plan) logical.Plan {
	want, have := before.Output(), p.Output()
	same := true
	for i := range want {
		same = same && want[i].Name == have[i].Name && want[i].ID == have[i].ID
	}
	if same {
		return p
	}
	return &logical.Project{List: attrExprs(want), Child: p}
}
