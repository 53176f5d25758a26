package expr

// Parameter is what a call by name may say of a function's parameter.
type Parameter struct {
	Name     string
	Optional bool
	Many     bool // takes all arguments that are left
}

// Parameters are a function's parameters, in order.
func (f *Function) Parameters() []Parameter {
	out := make([]Parameter, len(f.in))
	for i, p := range f.in {
		out[i] = Parameter{Name: p.name, Optional: p.optional, Many: p.many}
	}
	return out
}
