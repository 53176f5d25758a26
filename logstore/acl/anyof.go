package acl

// anyOf answers AllowedOnAny. ifNone is the answer for names that no binding is for: some such name always exists, unless a
// binding is for every name.
func (r *Rules) anyOf(who Principal, host string, op Operation, typ ResourceType, ifNone bool) bool {
	t := &r.types[typ]
	var all verdict
	all.weigh(t.any, who, host, op)
	if all.denied {
		return false
	}
	if all.allowed || ifNone && !all.found {
		return true
	}
	for name, entries := range t.literal {
		if allowsHere(entries, who, host, op) && r.namedAllowed(who, host, op, typ, name) {
			return true
		}
	}
	for prefix, entries := range t.prefixed {
		// A name that begins with prefix is refused for certain only by a denied prefix of prefix itself.
		if allowsHere(entries, who, host, op) && !t.prefixDenied(prefix, who, host, op) {
			return true
		}
	}
	return false
}

func allowsHere(entries []entry, who Principal, host string, op Operation) bool {
	var v verdict
	v.weigh(entries, who, host, op)
	return v.allowed && !v.denied
}

func (r *Rules) namedAllowed(who Principal, host string, op Operation, typ ResourceType, name string) bool {
	v := r.decide(who, host, op, typ, name)
	return v.allowed && !v.denied
}

func (t *typeRules) prefixDenied(prefix string, who Principal, host string, op Operation) bool {
	var v verdict
	for _, n := range t.lengths {
		if n > len(prefix) {
			break
		}
		v.weigh(t.prefixed[prefix[:n]], who, host, op)
	}
	return v.denied
}
