package acl

// Rules is a set of bindings arranged for matching. It never changes, so that any goroutine may read it; a change makes new
// Rules with a higher Version.
type Rules struct {
	Version uint64
	types   [User + 1]typeRules
	count   int
}

// typeRules are the bindings of one resource type.
type typeRules struct {
	literal  map[string][]entry
	any      []entry            // of the literal name "*"
	prefixed map[string][]entry // by prefix
	lengths  []int              // the distinct lengths of the prefixes, ascending
}

// entry is a binding without its resource.
type entry struct {
	principal  Principal
	host       string
	operation  Operation
	permission Permission
}

// NewRules arranges bindings.
func NewRules(version uint64, bindings []Binding) *Rules {
	r := &Rules{Version: version, count: len(bindings)}
	for _, b := range bindings {
		if b.Type >= 0 && b.Type <= User {
			r.types[b.Type].add(b)
		}
	}
	return r
}

// Len is the number of bindings.
func (r *Rules) Len() int { return r.count }

func (t *typeRules) add(b Binding) {
	e := entry{b.Principal, b.Host, b.Operation, b.Permission}
	switch {
	case b.Pattern == Literal && b.Name == AnyName:
		t.any = append(t.any, e)
	case b.Pattern == Literal:
		if t.literal == nil {
			t.literal = map[string][]entry{}
		}
		t.literal[b.Name] = append(t.literal[b.Name], e)
	default:
		if t.prefixed == nil {
			t.prefixed = map[string][]entry{}
		}
		t.prefixed[b.Name] = append(t.prefixed[b.Name], e)
		t.addLength(len(b.Name))
	}
}

// addLength keeps lengths ascending and distinct.
func (t *typeRules) addLength(n int) {
	at := 0
	for at < len(t.lengths) && t.lengths[at] < n {
		at++
	}
	if at < len(t.lengths) && t.lengths[at] == n {
		return
	}
	t.lengths = append(t.lengths, 0)
	copy(t.lengths[at+1:], t.lengths[at:])
	t.lengths[at] = n
}

// verdict is what the bindings say.
type verdict struct{ found, allowed, denied bool }

// decide asks the bindings for a resource. It allocates nothing.
func (r *Rules) decide(who Principal, host string, op Operation, typ ResourceType, name string) verdict {
	var v verdict
	if typ < 0 || typ > User {
		return v
	}
	t := &r.types[typ]
	v.weigh(t.any, who, host, op)
	v.weigh(t.literal[name], who, host, op)
	for _, n := range t.lengths {
		if n > len(name) {
			break
		}
		v.weigh(t.prefixed[name[:n]], who, host, op)
	}
	return v
}

func (v *verdict) weigh(entries []entry, who Principal, host string, op Operation) {
	v.found = v.found || len(entries) > 0
	for i := range entries {
		e := &entries[i]
		switch {
		case e.host != host && e.host != AnyHost, !e.principal.covers(who):
		case e.permission == Deny:
			v.denied = v.denied || e.operation == op || e.operation == All
		default:
			v.allowed = v.allowed || e.operation.allows(op)
		}
	}
}

// allows says whether a right to o is a right to op.
func (o Operation) allows(op Operation) bool {
	if o == op || o == All {
		return true
	}
	switch op {
	case Describe:
		return o == Read || o == Write || o == Delete || o == Alter
	case DescribeConfigs:
		return o == AlterConfigs
	}
	return false
}
