package expr

import (
	"math"
	"slices"
	"sort"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// listAgg is an aggregate that needs all values: the state is the list of them, the result a function of the list.
type listAgg struct {
	elem   func(a *Agg) column.Type
	finish func(a *Agg, b *column.Builder, v *column.Vector, from, to int32) error // nil: the list itself
}

func (l *listAgg) function(name, in, doc, example string, out func([]Expr) (column.Type, error), null nullRule, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params(in), out: out, null: null, Doc: doc, Example: example, agg: l.aggregator}
}

func (l *listAgg) aggregator(a *Agg) (aggregator, error) {
	t := a.Args[0].DataType()
	if l.elem != nil {
		t = l.elem(a)
	}
	return aggregator{state: []column.Type{column.ListOf(t, false)}, make: func() Accumulator {
		return &listAcc{l: l, a: a, b: column.NewBuilder(t), typ: t}
	}}, nil
}

// listAcc appends the values of all groups to one log and sorts it by group when asked.
type listAcc struct {
	l      *listAgg
	a      *Agg
	typ    column.Type
	b      *column.Builder
	gids   []uint32
	groups int
	bytes  int64
}

func (l *listAcc) Resize(n int) { l.groups = max(l.groups, n) }

func (l *listAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if args[0].IsValid(i) {
			l.add(g, args[0], i)
		}
	}
	return nil
}

func (l *listAcc) add(g uint32, v *column.Vector, i int) {
	l.b.AppendFrom(v, i)
	l.gids = append(l.gids, g)
	l.bytes += 24
	if v.Type.Kind.Storage() == column.StorageBytes {
		l.bytes += int64(len(v.Bytes(i)))
	}
}

func (l *listAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if state[0].IsValid(i) {
			elements(state[0], i, func(j int) { l.add(g, state[0].Kids[0], j) })
		}
	}
	return nil
}

// sorted is the values group by group in the order they came, and where each group begins.
func (l *listAcc) sorted() (*column.Vector, []int32) {
	offs := make([]int32, l.groups+1)
	for _, g := range l.gids {
		offs[g+1]++
	}
	for g := 0; g < l.groups; g++ {
		offs[g+1] += offs[g]
	}
	next := append([]int32{}, offs...)
	order := make([]int32, len(l.gids))
	for i, g := range l.gids {
		order[next[g]] = int32(i)
		next[g]++
	}
	all := l.b.Finish()
	sorted := column.Take(nil, all, order)
	l.rewind(sorted, offs)
	return sorted, offs
}

// rewind makes the sorted values the log again, so that more can follow.
func (l *listAcc) rewind(v *column.Vector, offs []int32) {
	l.b = column.NewBuilder(l.typ)
	for i := 0; i < v.N; i++ {
		l.b.AppendFrom(v, i)
	}
	l.gids = l.gids[:0]
	for g := 0; g < l.groups; g++ {
		for j := offs[g]; j < offs[g+1]; j++ {
			l.gids = append(l.gids, uint32(g))
		}
	}
}

func (l *listAcc) list() *column.Vector {
	v, offs := l.sorted()
	return &column.Vector{Type: column.ListOf(l.typ, false), N: l.groups, Offs: offs, Kids: []*column.Vector{v}}
}

func (l *listAcc) State() []*column.Vector { return []*column.Vector{l.list()} }

func (l *listAcc) Result() (*column.Vector, error) {
	if l.l.finish == nil {
		return l.list(), nil
	}
	v, offs := l.sorted()
	out := column.NewBuilder(l.a.Typ)
	for g := 0; g < l.groups; g++ {
		if err := l.l.finish(l.a, out, v, offs[g], offs[g+1]); err != nil {
			return nil, err
		}
	}
	return out.Finish(), nil
}

func (l *listAcc) Reset() {
	l.b, l.gids, l.groups, l.bytes = column.NewBuilder(l.typ), l.gids[:0], 0, 0
}
func (l *listAcc) Bytes() int64 { return l.bytes }

func init() {
	lists := &listAgg{}
	listType := func(args []Expr) (column.Type, error) { return column.ListOf(args[0].DataType(), false), nil }
	set := lists.function("collect_set", "a:x", "An array of the different values, in no particular order; nulls are left out.", "collect_set(x) over 1, 1 -> [1]", listType, never)
	set.agg = func(a *Agg) (aggregator, error) {
		g, err := lists.aggregator(a)
		return distinct(a, g), err
	}
	number := func(args []Expr) (column.Type, error) { return percentileType(args, column.Of(column.Float64)) }
	same := func(args []Expr) (column.Type, error) { return percentileType(args, args[0].DataType()) }
	exact := &listAgg{finish: percentile}
	nearest := &listAgg{finish: percentileOf}
	register("aggregate",
		lists.function("collect_list", "a:x", "An array of the values; nulls are left out.", "collect_list(x) over 1, NULL, 1 -> [1, 1]", listType, never, "array_agg"),
		set,
		exact.function("percentile", "d:x a:p a:frequency?", "The exact percentile, interpolated; p from 0 to 1, or an array of such.", "percentile(x, 0.5) over 1, 2 -> 1.5", number, always),
		(&listAgg{finish: median}).function("median", "d:x", "The middle value, interpolated.", "median(x) over 1, 2, 4 -> 2.0", outOf(column.Float64), always),
		nearest.function("percentile_approx", "n:x a:p i:accuracy?", "The least value that a share p of the values does not exceed; computed exactly.", "percentile_approx(x, 0.5) over 1, 2, 4 -> 2", same, always, "approx_percentile"),
		exact.function("percentile_cont", "d:x a:p b:desc?", "percentile, also written percentile_cont(p) WITHIN GROUP (ORDER BY x).", "percentile_cont(x, 0.5) over 1, 2 -> 1.5", number, always),
		(&listAgg{finish: percentileDisc}).function("percentile_disc", "n:x a:p b:desc?", "The first value in order whose share of the values before and with it is at least p; also written percentile_disc(p) WITHIN GROUP (ORDER BY x).", "percentile_disc(x, 0.5) over 1, 2, 4, 8 -> 2", same, always),
		(&listAgg{finish: mode}).function("mode", "a:x", "The most frequent value.", "mode(x) over 1, 2, 2 -> 2", typeOfFirst, always),
		(&listAgg{finish: joinTexts}).function("listagg", "s:x s:sep?", "The values as one text with sep between; nulls are left out.", "listagg(cast(x as string), ',') over 1, 2 -> 1,2", outOf(column.String), always, "string_agg"),
	)
}

func percentileType(args []Expr, one column.Type) (column.Type, error) {
	if args[1].DataType().Kind == column.List {
		return column.ListOf(one, false), nil
	}
	if _, _, err := shares(args[1]); err != nil {
		return one, err
	}
	return one, nil
}

// shares are the constant percentages; many says that they were an array.
func shares(e Expr) (list []float64, many bool, err error) {
	bad := usererr.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The percentage must be a constant between 0.0 and 1.0, or an array of such, but it is %s.", e)
	many = e.DataType().Kind == column.List
	to := column.Of(column.Float64)
	if many {
		to = column.ListOf(to, false)
	}
	if !CanCast(e.DataType(), to) {
		return nil, many, bad
	}
	l, err := EvalLiteral(Coerce(e, to))
	if err != nil || l.Value == nil {
		return nil, many, bad
	}
	values := []any{l.Value}
	if many {
		values = l.Value.([]any)
	}
	for _, v := range values {
		p, ok := v.(float64)
		if !ok || !(p >= 0 && p <= 1) {
			return nil, many, bad
		}
		list = append(list, p)
	}
	return list, many, nil
}

// perShare appends one value for each share, or an array of them.
func perShare(a *Agg, b *column.Builder, from, to int32, f func(to *column.Builder, p float64)) error {
	list, many, err := shares(a.Args[1])
	if err != nil {
		return err
	}
	if from == to {
		b.AppendNull()
		return nil
	}
	if !many {
		f(b, list[0])
		return nil
	}
	for _, p := range list {
		f(b.Kid(0), p)
	}
	b.CloseRow()
	return nil
}

func sortedFloats(v *column.Vector, from, to int32) []float64 {
	x := append([]float64{}, v.F64[from:to]...)
	sort.Slice(x, func(i, j int) bool { return compareFloat(x[i], x[j]) < 0 })
	return x
}

// descending reports whether the third argument of percentile_cont and percentile_disc is true.
func descending(a *Agg) bool { return len(a.Args) == 3 && a.Fn != "percentile" && isTrue(a.Args[2]) }

func percentile(a *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	x := sortedFloats(v, from, to)
	if descending(a) {
		slices.Reverse(x)
	}
	return perShare(a, b, from, to, func(b *column.Builder, p float64) { b.AppendF64(interpolate(x, p)) })
}

func interpolate(x []float64, p float64) float64 {
	at := p * float64(len(x)-1)
	lo, hi := int(math.Floor(at)), int(math.Ceil(at))
	if lo == hi || x[lo] == x[hi] {
		return x[lo]
	}
	return (float64(hi)-at)*x[lo] + (at-float64(lo))*x[hi]
}

func median(_ *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	if from == to {
		b.AppendNull()
		return nil
	}
	b.AppendF64(interpolate(sortedFloats(v, from, to), 0.5))
	return nil
}

func percentileOf(a *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	rows := make([]int, 0, to-from)
	for j := from; j < to; j++ {
		rows = append(rows, int(j))
	}
	sort.Slice(rows, func(x, y int) bool { return compareValues(v, rows[x], v, rows[y]) < 0 })
	return perShare(a, b, from, to, func(b *column.Builder, p float64) {
		b.AppendFrom(v, rows[max(int(math.Ceil(p*float64(len(rows))))-1, 0)])
	})
}

func percentileDisc(a *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	rows := make([]int, 0, to-from)
	for j := from; j < to; j++ {
		rows = append(rows, int(j))
	}
	sort.Slice(rows, func(x, y int) bool { return compareValues(v, rows[x], v, rows[y]) < 0 })
	if descending(a) {
		slices.Reverse(rows)
	}
	return perShare(a, b, from, to, func(b *column.Builder, p float64) {
		b.AppendFrom(v, rows[max(int(math.Ceil(p*float64(len(rows))))-1, 0)])
	})
}

func mode(_ *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	count := map[string]int{}
	best, at := 0, int32(-1)
	var key []byte
	for j := from; j < to; j++ {
		key = column.AppendKey(key[:0], []*column.Vector{v}, int(j))
		count[string(key)]++
		if n := count[string(key)]; n > best {
			best, at = n, j
		}
	}
	if at < 0 {
		b.AppendNull()
		return nil
	}
	b.AppendFrom(v, int(at))
	return nil
}

func joinTexts(a *Agg, b *column.Builder, v *column.Vector, from, to int32) error {
	if from == to {
		b.AppendNull()
		return nil
	}
	sep := ""
	if len(a.Args) == 2 {
		sep, _ = literalText(a.Args[1])
	}
	var out []byte
	for j := from; j < to; j++ {
		if j > from {
			out = append(out, sep...)
		}
		out = append(out, v.Bytes(int(j))...)
	}
	b.AppendBytes(out)
	return nil
}
