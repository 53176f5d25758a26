package connect

import (
	"math"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/types/known/anypb"
)

// plan decodes a relation. Its number, when it has one, is kept in a PlanID above it, one higher than on the wire: clients
// count from zero, which in an expr.UnresolvedAttr means none.
func (d *decoder) plan(r *pb.Relation) (logical.Plan, error) {
	if d.enter(); d.depth > maxDepth {
		return nil, tooDeep()
	}
	defer d.leave()
	p, err := d.relation(r)
	if err != nil {
		return nil, err
	}
	if d.persisted != nil {
		if key, ok := d.persisted(r); ok {
			p = &logical.Cached{Key: key, Child: p}
		}
	}
	if c := r.GetCommon(); c != nil && c.PlanId != nil {
		p = &logical.PlanID{Child: p, ID: planID(c.GetPlanId())}
	}
	return p, nil
}

func planID(wire int64) int64 {
	if wire < 0 || wire == math.MaxInt64 {
		return wire
	}
	return wire + 1
}

func (d *decoder) relation(r *pb.Relation) (logical.Plan, error) {
	switch k := r.GetRelType().(type) {
	case *pb.Relation_Read:
		return d.read(k.Read)
	case *pb.Relation_Project:
		return d.project(k.Project)
	case *pb.Relation_Filter:
		return d.filter(k.Filter)
	case *pb.Relation_Join:
		return d.join(k.Join)
	case *pb.Relation_LateralJoin:
		return d.lateralJoin(k.LateralJoin)
	case *pb.Relation_AsOfJoin:
		return d.asofJoin(k.AsOfJoin)
	case *pb.Relation_SetOp:
		return d.setOp(k.SetOp)
	case *pb.Relation_Sort:
		return d.sort(k.Sort)
	case *pb.Relation_Limit:
		child, err := d.child("Limit", k.Limit.GetInput())
		return &logical.Limit{N: int64(k.Limit.GetLimit()), Child: child}, err
	case *pb.Relation_Offset:
		child, err := d.child("Offset", k.Offset.GetInput())
		return &logical.Limit{N: -1, Offset: int64(k.Offset.GetOffset()), Child: child}, err
	case *pb.Relation_Tail:
		child, err := d.child("Tail", k.Tail.GetInput())
		return &logical.Tail{N: int64(k.Tail.GetLimit()), Child: child}, err
	case *pb.Relation_Aggregate:
		return d.aggregate(k.Aggregate)
	case *pb.Relation_Sql:
		return d.sql(k.Sql)
	case *pb.Relation_LocalRelation:
		return d.local(k.LocalRelation)
	case *pb.Relation_CachedLocalRelation:
		return d.cachedLocal(k.CachedLocalRelation)
	case *pb.Relation_ChunkedCachedLocalRelation:
		return d.chunkedLocal(k.ChunkedCachedLocalRelation)
	case *pb.Relation_CachedRemoteRelation:
		return d.remote(k.CachedRemoteRelation)
	case *pb.Relation_Sample:
		return d.sample(k.Sample)
	case *pb.Relation_Deduplicate:
		return d.dedup(k.Deduplicate)
	case *pb.Relation_Range:
		return d.rangeOf(k.Range)
	case *pb.Relation_SubqueryAlias:
		child, err := d.child("SubqueryAlias", k.SubqueryAlias.GetInput())
		return &logical.SubqueryAlias{Alias: k.SubqueryAlias.GetAlias(), Child: child}, err
	case *pb.Relation_Repartition:
		child, err := d.child("Repartition", k.Repartition.GetInput())
		return &logical.Repartition{N: int(k.Repartition.GetNumPartitions()), Child: child}, err
	case *pb.Relation_RepartitionByExpression:
		return d.repartitionBy(k.RepartitionByExpression)
	case *pb.Relation_ToDf:
		child, err := d.child("ToDF", k.ToDf.GetInput())
		return &logical.ToDF{Names: k.ToDf.GetColumnNames(), Child: child}, err
	case *pb.Relation_WithColumnsRenamed:
		return d.renamed(k.WithColumnsRenamed)
	case *pb.Relation_WithColumns:
		return d.withColumns(k.WithColumns)
	case *pb.Relation_Drop:
		return d.drop(k.Drop)
	case *pb.Relation_Hint:
		return d.hint(k.Hint)
	case *pb.Relation_Unpivot:
		return d.unpivot(k.Unpivot)
	case *pb.Relation_ToSchema:
		return d.toSchema(k.ToSchema)
	case *pb.Relation_WithWatermark:
		return d.watermark(k.WithWatermark)
	case *pb.Relation_WithRelations:
		return d.withRelations(k.WithRelations)
	case *pb.Relation_UnresolvedTableValuedFunction:
		args, err := d.exprs(k.UnresolvedTableValuedFunction.GetArguments())
		return &logical.TableFunc{Name: k.UnresolvedTableValuedFunction.GetFunctionName(), Args: args}, err
	case *pb.Relation_FillNa:
		return d.fillNA(k.FillNa)
	case *pb.Relation_DropNa:
		child, err := d.child("NADrop", k.DropNa.GetInput())
		return &logical.DropNA{Cols: k.DropNa.GetCols(), MinNonNull: int(k.DropNa.GetMinNonNulls()), Child: child}, err
	case *pb.Relation_Replace:
		return d.replaceNA(k.Replace)
	case *pb.Relation_Describe:
		child, err := d.child("StatDescribe", k.Describe.GetInput())
		return &logical.Summarize{Cols: k.Describe.GetCols(), Child: child}, err
	case *pb.Relation_Summary:
		return d.summary(k.Summary)
	case *pb.Relation_Cov:
		return d.statistic(k.Cov.GetInput(), "covar_samp", k.Cov.GetCol1(), k.Cov.GetCol2())
	case *pb.Relation_Corr:
		return d.corr(k.Corr)
	case *pb.Relation_ApproxQuantile:
		q := k.ApproxQuantile
		child, err := d.child("StatApproxQuantile", q.GetInput())
		return &logical.ApproxQuantile{Cols: q.GetCols(), Probabilities: q.GetProbabilities(), Error: q.GetRelativeError(), Child: child}, err
	case *pb.Relation_Crosstab:
		child, err := d.child("StatCrosstab", k.Crosstab.GetInput())
		return &logical.Crosstab{Col1: k.Crosstab.GetCol1(), Col2: k.Crosstab.GetCol2(), Child: child}, err
	case *pb.Relation_FreqItems:
		return d.freqItems(k.FreqItems)
	case *pb.Relation_SampleBy:
		return d.sampleBy(k.SampleBy)
	case *pb.Relation_Transpose:
		return d.transpose(k.Transpose)
	case *pb.Relation_CollectMetrics:
		return d.observe(k.CollectMetrics)
	case *pb.Relation_Parse:
		return d.parse(k.Parse)
	case *pb.Relation_Extension:
		return d.relationExtension(k.Extension)
	case nil:
		return nil, notSet("spark.connect.Relation", "RELTYPE_NOT_SET")
	}
	name := oneofName(r, "rel_type")
	return nil, unsupported(feature(name), "The relation %s", name)
}

// child decodes the input of a relation, which must be there.
func (d *decoder) child(of string, r *pb.Relation) (logical.Plan, error) {
	if r == nil {
		return nil, missing("spark.connect."+of, "input")
	}
	return d.plan(r)
}

func (d *decoder) read(r *pb.Read) (logical.Plan, error) {
	switch t := r.GetReadType().(type) {
	case *pb.Read_NamedTable_:
		parts, err := structured.SplitName(t.NamedTable.GetUnparsedIdentifier())
		return &logical.UnresolvedTable{Parts: parts, Streaming: r.GetIsStreaming(), Options: t.NamedTable.GetOptions()}, err
	case *pb.Read_DataSource_:
		s := t.DataSource
		if len(s.GetPredicates()) > 0 {
			return nil, unsupported("JDBC_PREDICATES", "Reading with predicates for partitions")
		}
		u := &logical.UnresolvedTable{Format: d.format(s.GetFormat()), Paths: s.GetPaths(), Streaming: r.GetIsStreaming(), Options: s.GetOptions()}
		if s.GetSchema() != "" {
			var err error
			if u.Schema, err = parseSchema(s.GetSchema()); err != nil {
				return nil, err
			}
		}
		return u, nil
	}
	return nil, notSet("spark.connect.Read", "READTYPE_NOT_SET")
}

func (d *decoder) project(p *pb.Project) (logical.Plan, error) {
	list, err := d.exprs(p.GetExpressions())
	if err != nil {
		return nil, err
	}
	if p.GetInput() == nil {
		return &logical.Project{List: list, Child: oneRow()}, nil
	}
	child, err := d.plan(p.GetInput())
	return &logical.Project{List: list, Child: child}, err
}

// oneRow is the relation of one row without columns, which a projection over nothing reads.
func oneRow() logical.Plan { return &logical.UnresolvedValues{Rows: [][]expr.Expr{{}}} }

func isOneRow(p logical.Plan) bool {
	v, ok := p.(*logical.UnresolvedValues)
	return ok && len(v.Rows) == 1 && len(v.Rows[0]) == 0
}

func (d *decoder) filter(f *pb.Filter) (logical.Plan, error) {
	child, err := d.child("Filter", f.GetInput())
	if err != nil {
		return nil, err
	}
	cond, err := d.expr(f.GetCondition())
	return &logical.Filter{Cond: cond, Child: child}, err
}

var joinKinds = map[pb.Join_JoinType]logical.JoinKind{
	pb.Join_JOIN_TYPE_INNER: logical.Inner, pb.Join_JOIN_TYPE_FULL_OUTER: logical.FullOuter,
	pb.Join_JOIN_TYPE_LEFT_OUTER: logical.LeftOuter, pb.Join_JOIN_TYPE_RIGHT_OUTER: logical.RightOuter,
	pb.Join_JOIN_TYPE_LEFT_ANTI: logical.LeftAnti, pb.Join_JOIN_TYPE_LEFT_SEMI: logical.LeftSemi,
	pb.Join_JOIN_TYPE_CROSS: logical.Cross,
}

func (d *decoder) join(j *pb.Join) (logical.Plan, error) {
	kind, ok := joinKinds[j.GetJoinType()]
	if !ok {
		return nil, invalidPlan("INVALID_ENUM", "The join type %s is not known.", j.GetJoinType())
	}
	left, err := d.child("Join", j.GetLeft())
	if err != nil {
		return nil, err
	}
	right, err := d.child("Join", j.GetRight())
	if err != nil {
		return nil, err
	}
	out := &logical.Join{Kind: kind, Left: left, Right: right, Using: j.GetUsingColumns()}
	if j.GetJoinCondition() == nil {
		return out, nil
	}
	if len(out.Using) > 0 {
		return nil, invalidPlan("USING_COLUMNS_OR_JOIN_CONDITION_SET_IN_JOIN", "Using columns or join conditions cannot be set at the same time in Join.")
	}
	out.Cond, err = d.expr(j.GetJoinCondition())
	return out, err
}

func (d *decoder) setOp(s *pb.SetOperation) (logical.Plan, error) {
	left, err := d.child("SetOperation", s.GetLeftInput())
	if err != nil {
		return nil, err
	}
	right, err := d.child("SetOperation", s.GetRightInput())
	if err != nil {
		return nil, err
	}
	switch s.GetSetOpType() {
	case pb.SetOperation_SET_OP_TYPE_UNION:
		u := &logical.Union{Kids: []logical.Plan{left, right}, ByName: s.GetByName(), AllowMissing: s.GetAllowMissingColumns()}
		if s.IsAll != nil && !s.GetIsAll() {
			return &logical.Dedup{Child: u}, nil
		}
		return u, nil
	case pb.SetOperation_SET_OP_TYPE_INTERSECT, pb.SetOperation_SET_OP_TYPE_EXCEPT:
		except := s.GetSetOpType() == pb.SetOperation_SET_OP_TYPE_EXCEPT
		return &logical.SetOp{All: s.GetIsAll(), Except: except, Left: left, Right: right}, nil
	}
	return nil, invalidPlan("INVALID_ENUM", "The set operation %s is not known.", s.GetSetOpType())
}

func (d *decoder) sort(s *pb.Sort) (logical.Plan, error) {
	child, err := d.child("Sort", s.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.Sort{Global: s.IsGlobal == nil || s.GetIsGlobal(), Child: child}
	for _, o := range s.GetOrder() {
		order, err := d.sortOrder(o)
		if err != nil {
			return nil, err
		}
		out.Orders = append(out.Orders, order)
	}
	return out, nil
}

// aggregate decodes groupBy(…).agg(…) and its kin: the result has the keys, then the aggregates.
func (d *decoder) aggregate(a *pb.Aggregate) (logical.Plan, error) {
	child, err := d.child("Aggregate", a.GetInput())
	if err != nil {
		return nil, err
	}
	keys, err := d.exprs(a.GetGroupingExpressions())
	if err != nil {
		return nil, err
	}
	aggs, err := d.exprs(a.GetAggregateExpressions())
	if err != nil {
		return nil, err
	}
	out := &logical.Aggregate{List: append(append([]expr.Expr{}, keys...), aggs...), Child: child}
	for _, k := range keys {
		out.Keys = append(out.Keys, unaliased(k))
	}
	switch t := a.GetGroupType(); t {
	case pb.Aggregate_GROUP_TYPE_PIVOT:
		return d.pivot(a.GetPivot(), keys, aggs, child)
	case pb.Aggregate_GROUP_TYPE_GROUPBY:
	case pb.Aggregate_GROUP_TYPE_ROLLUP:
		out.Sets = logical.RollupSets(len(keys))
	case pb.Aggregate_GROUP_TYPE_CUBE:
		if len(keys) > maxCubeKeys {
			return nil, invalidPlan("GROUPING_SIZE_LIMIT_EXCEEDED", "A cube of %d keys has too many groupings; at most %d keys are possible.", len(keys), maxCubeKeys)
		}
		out.Sets = logical.CubeSets(len(keys))
	case pb.Aggregate_GROUP_TYPE_GROUPING_SETS:
		return out, d.groupingSets(out, a.GetGroupingSets())
	case pb.Aggregate_GROUP_TYPE_UNSPECIFIED:
		return nil, invalidPlan("INVALID_ENUM", "The group type of an aggregation is not set.")
	default:
		return nil, unsupported(t.String(), "The grouping %s", t)
	}
	return out, nil
}

// maxCubeKeys bounds a cube to 4,096 groupings.
const maxCubeKeys = 12

// groupingSets finds each set's expressions among the keys, and adds those that are none yet.
func (d *decoder) groupingSets(out *logical.Aggregate, sets []*pb.Aggregate_GroupingSets) error {
	at := map[string]int{}
	for i, k := range out.Keys {
		at[k.String()] = i
	}
	for _, s := range sets {
		list, err := d.exprs(s.GetGroupingSet())
		if err != nil {
			return err
		}
		set := []int{}
		for _, k := range list {
			k = unaliased(k)
			i, known := at[k.String()]
			if !known {
				i = len(out.Keys)
				at[k.String()], out.Keys = i, append(out.Keys, k)
			}
			set = append(set, i)
		}
		out.Sets = append(out.Sets, set)
	}
	return nil
}

func unaliased(e expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Alias); ok {
		return a.Child
	}
	return e
}

func (d *decoder) sql(s *pb.SQL) (logical.Plan, error) {
	out := &logical.SQLText{Text: s.GetQuery()}
	for _, l := range s.GetPosArgs() { //nolint:staticcheck // clients before 4.0 send it
		e, err := literalFromProto(l)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, e)
	}
	args, err := d.exprs(s.GetPosArguments())
	if err != nil {
		return nil, err
	}
	out.Args = append(out.Args, args...)
	for name, l := range s.GetArgs() { //nolint:staticcheck // clients before 4.0 send it
		e, err := literalFromProto(l)
		if err != nil {
			return nil, err
		}
		setNamed(out, name, e)
	}
	for name, a := range s.GetNamedArguments() {
		e, err := d.expr(a)
		if err != nil {
			return nil, err
		}
		setNamed(out, name, e)
	}
	return out, nil
}

func setNamed(s *logical.SQLText, name string, e expr.Expr) {
	if s.Named == nil {
		s.Named = map[string]expr.Expr{}
	}
	s.Named[name] = e
}

func (d *decoder) sample(s *pb.Sample) (logical.Plan, error) {
	child, err := d.child("Sample", s.GetInput())
	if err != nil {
		return nil, err
	}
	return &logical.Sample{Lower: s.GetLowerBound(), Upper: s.GetUpperBound(), Seed: s.GetSeed(), Replace: s.GetWithReplacement(), Child: child}, nil
}

func (d *decoder) dedup(x *pb.Deduplicate) (logical.Plan, error) {
	child, err := d.child("Deduplicate", x.GetInput())
	if err != nil {
		return nil, err
	}
	all, cols := x.GetAllColumnsAsKeys(), x.GetColumnNames()
	if all && len(cols) > 0 {
		return nil, invalidPlan("DEDUPLICATE_ALL_COLUMNS_AND_SUBSET", "Cannot deduplicate on both all columns and a subset of columns.")
	}
	if !all && len(cols) == 0 {
		return nil, invalidPlan("DEDUPLICATE_NEEDS_INPUT", "Deduplicate requires to either deduplicate on all columns or a subset of columns.")
	}
	return &logical.Dedup{Cols: attrs(cols), WithinWatermark: x.GetWithinWatermark(), Child: child}, nil
}

// attrs are columns by their whole name: a dot in it is part of the name.
func attrs(names []string) []expr.Expr {
	var out []expr.Expr
	for _, n := range names {
		out = append(out, &expr.UnresolvedAttr{Parts: []string{n}})
	}
	return out
}

func (d *decoder) rangeOf(r *pb.Range) (logical.Plan, error) {
	if r.GetStep() == 0 {
		return nil, invalidPlan("RANGE_STEP", "The step of a range must not be zero.")
	}
	return &logical.Range{Start: r.GetStart(), End: r.GetEnd(), Step: r.GetStep(), Parts: int(r.GetNumPartitions()),
		Attr: rangeAttr()}, nil
}

func (d *decoder) repartitionBy(r *pb.RepartitionByExpression) (logical.Plan, error) {
	child, err := d.child("RepartitionByExpression", r.GetInput())
	if err != nil {
		return nil, err
	}
	keys, err := d.exprs(r.GetPartitionExprs())
	return &logical.Repartition{N: int(r.GetNumPartitions()), Keys: keys, Child: child}, err
}

func (d *decoder) renamed(w *pb.WithColumnsRenamed) (logical.Plan, error) {
	child, err := d.child("WithColumnsRenamed", w.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.RenameColumns{Child: child}
	for _, r := range w.GetRenames() {
		out.From, out.To = append(out.From, r.GetColName()), append(out.To, r.GetNewColName())
	}
	old := w.GetRenameColumnsMap() //nolint:staticcheck // clients before 4.0 send it
	for _, from := range sortedKeys(old) {
		out.From, out.To = append(out.From, from), append(out.To, old[from])
	}
	return out, nil
}

func (d *decoder) withColumns(w *pb.WithColumns) (logical.Plan, error) {
	child, err := d.child("WithColumns", w.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.WithColumns{Child: child}
	for _, a := range w.GetAliases() {
		if len(a.GetName()) != 1 {
			return nil, invalidPlan("WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART", "WithColumns require column name only contains one name part, but got %s.", structured.JoinName(a.GetName()))
		}
		alias, err := d.alias(a)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, alias)
	}
	return out, nil
}

func (d *decoder) drop(x *pb.Drop) (logical.Plan, error) {
	child, err := d.child("Drop", x.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.DropColumns{Child: child}
	for _, n := range x.GetColumnNames() {
		out.Cols = append(out.Cols, &expr.UnresolvedAttr{Parts: []string{n}})
	}
	cols, err := d.exprs(x.GetColumns())
	if err != nil {
		return nil, err
	}
	for _, c := range cols {
		a, ok := c.(*expr.UnresolvedAttr)
		if !ok {
			return nil, invalidPlan("DROP_COLUMN", "Only columns can be dropped, not the expression %s.", c)
		}
		out.Cols = append(out.Cols, a)
	}
	return out, nil
}

func (d *decoder) hint(h *pb.Hint) (logical.Plan, error) {
	child, err := d.child("Hint", h.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.Hint{Name: h.GetName(), Child: child}
	params, err := d.exprs(h.GetParameters())
	for _, p := range params {
		if l, ok := p.(*expr.Literal); ok {
			if s, ok := l.Value.(string); ok {
				out.Args = append(out.Args, s)
			}
		}
	}
	return out, err
}

func (d *decoder) unpivot(u *pb.Unpivot) (logical.Plan, error) {
	child, err := d.child("Unpivot", u.GetInput())
	if err != nil {
		return nil, err
	}
	ids, err := d.exprs(u.GetIds())
	if err != nil {
		return nil, err
	}
	values, err := d.exprs(u.GetValues().GetValues())
	return &logical.Unpivot{Ids: ids, Values: values, ValuesGiven: u.Values != nil, NameCol: u.GetVariableColumnName(),
		ValueCol: u.GetValueColumnName(), Child: child}, err
}

func (d *decoder) toSchema(t *pb.ToSchema) (logical.Plan, error) {
	child, err := d.child("ToSchema", t.GetInput())
	if err != nil {
		return nil, err
	}
	schema, err := schemaFromProto(t.GetSchema())
	return &logical.ToSchema{Schema: schema, Child: child}, err
}

func (d *decoder) watermark(w *pb.WithWatermark) (logical.Plan, error) {
	child, err := d.child("WithWatermark", w.GetInput())
	if err != nil {
		return nil, err
	}
	delay, err := structured.ParseDelay(w.GetDelayThreshold())
	if err != nil {
		return nil, err
	}
	parts, err := structured.SplitName(w.GetEventTime())
	return &logical.Watermark{Col: &expr.UnresolvedAttr{Parts: parts}, Delay: delay, Child: child}, err
}

// withRelations decodes relations by name, and those that subquery expressions of the root mean by number.
func (d *decoder) withRelations(w *pb.WithRelations) (logical.Plan, error) {
	out := &logical.With{}
	for _, ref := range w.GetReferences() {
		alias := ref.GetSubqueryAlias()
		if c := ref.GetCommon(); c != nil && c.PlanId != nil {
			p, err := d.plan(ref)
			if err != nil {
				return nil, err
			}
			if d.subplans == nil {
				d.subplans = map[int64]logical.Plan{}
			}
			d.subplans[c.GetPlanId()] = p
			if alias == nil {
				continue
			}
		}
		if alias == nil {
			return nil, invalidPlan("WITH_RELATIONS", "A relation that others refer to has neither a name nor a number.")
		}
		p, err := d.child("SubqueryAlias", alias.GetInput())
		if err != nil {
			return nil, err
		}
		out.Names, out.Plans = append(out.Names, alias.GetAlias()), append(out.Plans, p)
	}
	var err error
	out.Child, err = d.child("WithRelations", w.GetRoot())
	if len(out.Names) == 0 {
		return out.Child, err
	}
	return out, err
}

func (d *decoder) fillNA(f *pb.NAFill) (logical.Plan, error) {
	child, err := d.child("NAFill", f.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.FillNA{Cols: f.GetCols(), Child: child}
	for _, v := range f.GetValues() {
		l, err := literalFromProto(v)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, l)
	}
	if len(out.Values) == 0 || len(out.Values) > 1 && len(out.Values) != len(out.Cols) {
		return nil, invalidPlan("NA_FILL", "fillna needs one value, or one for each column: %d values, %d columns.", len(out.Values), len(out.Cols))
	}
	return out, nil
}

func (d *decoder) replaceNA(r *pb.NAReplace) (logical.Plan, error) {
	child, err := d.child("NAReplace", r.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.ReplaceNA{Cols: r.GetCols(), Child: child}
	for _, x := range r.GetReplacements() {
		from, err := literalFromProto(x.GetOldValue())
		if err != nil {
			return nil, err
		}
		to, err := literalFromProto(x.GetNewValue())
		if err != nil {
			return nil, err
		}
		out.Old, out.New = append(out.Old, from), append(out.New, to)
	}
	return out, nil
}

// summaryStats are those of summary() when none is named.
var summaryStats = []string{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}

func (d *decoder) summary(s *pb.StatSummary) (logical.Plan, error) {
	child, err := d.child("StatSummary", s.GetInput())
	stats := s.GetStatistics()
	if len(stats) == 0 {
		stats = summaryStats
	}
	return &logical.Summarize{Stats: stats, Child: child}, err
}

func (d *decoder) corr(c *pb.StatCorr) (logical.Plan, error) {
	if m := c.GetMethod(); m != "" && m != "pearson" {
		return nil, unsupported("CORRELATION_METHOD", "The correlation method %s", m)
	}
	return d.statistic(c.GetInput(), "corr", c.GetCol1(), c.GetCol2())
}

// statistic is one aggregate of two columns over the whole input.
func (d *decoder) statistic(input *pb.Relation, fn, col1, col2 string) (logical.Plan, error) {
	child, err := d.child("Stat", input)
	if err != nil {
		return nil, err
	}
	call := &expr.UnresolvedCall{Name: fn, Args: attrs([]string{col1, col2})}
	name := map[string]string{"covar_samp": "cov"}[fn]
	if name == "" {
		name = fn
	}
	return &logical.Aggregate{List: []expr.Expr{&expr.Alias{Child: call, Name: name, ID: expr.NewID()}}, Child: child}, nil
}

func (d *decoder) remote(c *pb.CachedRemoteRelation) (logical.Plan, error) {
	if d.cached != nil {
		if p, ok := d.cached(c.GetRelationId()); ok {
			return p, nil
		}
	}
	return nil, invalidPlan("DATAFRAME_NOT_FOUND", "No DataFrame with id %s is found in the session.", c.GetRelationId())
}

func (d *decoder) relationExtension(a *anypb.Any) (logical.Plan, error) {
	m, err := unpack(a)
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *sfpb.Run:
		child, err := d.child("extension Run", m.GetInput())
		return &logical.Run{Name: m.GetName(), Live: m.GetMode() == sfpb.Run_MODE_LIVE, From: m.FromMicros, To: m.ToMicros, Child: child}, err
	case *sfpb.Statement:
		return d.statement(m)
	}
	return nil, noHandler(a.GetTypeUrl())
}

func (d *decoder) statement(s *sfpb.Statement) (logical.Plan, error) {
	return d.sql(&pb.SQL{Query: s.GetText(), PosArguments: s.GetPosArguments(), NamedArguments: s.GetNamedArguments()})
}
