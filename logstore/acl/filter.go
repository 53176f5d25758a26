package acl

import "strings"

// Filter selects bindings. Empty strings and the Any values select all; a zero Pattern, Type, Operation or Permission is Any.
type Filter struct {
	Type       ResourceType `json:"type,omitempty"`
	Name       string       `json:"name,omitempty"`
	Pattern    Pattern      `json:"pattern,omitempty"`
	Principal  string       `json:"principal,omitempty"` // TYPE:NAME
	Host       string       `json:"host,omitempty"`
	Operation  Operation    `json:"op,omitempty"`
	Permission Permission   `json:"permission,omitempty"`
}

// Matches says whether the filter selects b, by the rules of KIP-290.
func (f Filter) Matches(b Binding) bool {
	switch {
	case f.Type > AnyType && f.Type != b.Type,
		f.Principal != "" && f.Principal != b.Principal.String(),
		f.Host != "" && f.Host != b.Host,
		f.Operation > AnyOp && f.Operation != b.Operation,
		f.Permission > AnyPermission && f.Permission != b.Permission:
		return false
	}
	return f.matchesName(b)
}

func (f Filter) matchesName(b Binding) bool {
	if f.Pattern > Match && f.Pattern != b.Pattern {
		return false
	}
	switch {
	case f.Name == "":
		return true
	case f.Pattern != Match:
		return f.Name == b.Name
	case b.Pattern == Prefixed:
		return strings.HasPrefix(f.Name, b.Name)
	}
	return f.Name == b.Name || b.Name == AnyName
}

// Validate says what is unknown in a filter.
func (f Filter) Validate() error {
	for _, v := range []struct {
		what string
		n    int8
		max  int8
	}{{"resource type", int8(f.Type), int8(User)}, {"pattern", int8(f.Pattern), int8(Prefixed)}, {"operation", int8(f.Operation), int8(TwoPhaseCommit)}, {"permission", int8(f.Permission), int8(Allow)}} {
		if v.n < 0 || v.n > v.max {
			return errUnknown(v.what, v.n)
		}
	}
	return nil
}
