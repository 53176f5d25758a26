package optimize

import "github.com/streamflow/streamflow/structured/logical"

// combineUnions makes one union of unions in unions.
var combineUnions = up(func(u *logical.Union) logical.Plan {
	var kids []logical.Plan
	for _, k := range u.Kids {
		if in, ok := k.(*logical.Union); ok {
			kids = append(kids, in.Kids...)
		} else {
			kids = append(kids, k)
		}
	}
	if len(kids) == len(u.Kids) {
		return u
	}
	return &logical.Union{Kids: kids, Attrs: u.Attrs}
})
