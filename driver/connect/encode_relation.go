package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/types/known/anypb"
)

// planToProto is an unresolved plan as Spark Connect sends it. A plan that uses nothing but Spark's relations can be sent
// to Apache Spark; Run and aggregates with FILTER travel as extensions that only StreamFlow knows.
func planToProto(p logical.Plan) (*pb.Relation, error) {
	if id, ok := p.(*logical.PlanID); ok {
		r, err := planToProto(id.Child)
		if err != nil {
			return nil, err
		}
		r.Common = &pb.RelationCommon{PlanId: ptr(wirePlanID(id.ID))}
		return r, nil
	}
	kids, err := plansToProto(p.Children())
	if err != nil {
		return nil, err
	}
	r := &pb.Relation{}
	if err := fillRelation(r, p, kids); err != nil {
		return nil, err
	}
	return r, nil
}

// wirePlanID undoes planID.
func wirePlanID(id int64) int64 {
	if id <= 0 {
		return id
	}
	return id - 1
}

func plansToProto(list []logical.Plan) ([]*pb.Relation, error) {
	out := make([]*pb.Relation, len(list))
	for i, p := range list {
		if isOneRow(p) {
			continue
		}
		var err error
		if out[i], err = planToProto(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fillRelation(r *pb.Relation, p logical.Plan, kids []*pb.Relation) error {
	switch p := p.(type) {
	case *logical.UnresolvedTable:
		r.RelType = &pb.Relation_Read{Read: tableToProto(p)}
	case *logical.SQLText:
		s, err := sqlToProto(p)
		r.RelType = &pb.Relation_Sql{Sql: s}
		return err
	case *logical.Local:
		l, err := localToProto(p)
		r.RelType = &pb.Relation_LocalRelation{LocalRelation: l}
		return err
	case *logical.Range:
		x := &pb.Range{Start: ptr(p.Start), End: p.End, Step: p.Step}
		if p.Parts > 0 {
			x.NumPartitions = ptr(int32(p.Parts))
		}
		r.RelType = &pb.Relation_Range{Range: x}
	case *logical.Project:
		list, err := exprsToProto(p.List)
		r.RelType = &pb.Relation_Project{Project: &pb.Project{Input: kids[0], Expressions: list}}
		return err
	case *logical.Filter:
		cond, err := exprToProto(p.Cond)
		r.RelType = &pb.Relation_Filter{Filter: &pb.Filter{Input: kids[0], Condition: cond}}
		return err
	case *logical.Aggregate:
		return fillAggregate(r, p, kids[0])
	case *logical.Sort:
		s, err := sortToProto(p, kids[0])
		r.RelType = &pb.Relation_Sort{Sort: s}
		return err
	case *logical.Limit:
		return fillLimit(r, p, kids[0])
	case *logical.Tail:
		n, err := count32("Tail", p.N)
		r.RelType = &pb.Relation_Tail{Tail: &pb.Tail{Input: kids[0], Limit: n}}
		return err
	case *logical.Join:
		j, err := joinToProto(p, kids)
		r.RelType = &pb.Relation_Join{Join: j}
		return err
	case *logical.LateralJoin:
		return fillLateral(r, p, kids)
	case *logical.AsofJoin:
		return fillAsof(r, p, kids)
	case *logical.Pivot:
		return fillPivot(r, p, kids[0])
	case *logical.Union:
		return fillUnion(r, p, kids)
	case *logical.SetOp:
		t := pb.SetOperation_SET_OP_TYPE_INTERSECT
		if p.Except {
			t = pb.SetOperation_SET_OP_TYPE_EXCEPT
		}
		r.RelType = &pb.Relation_SetOp{SetOp: &pb.SetOperation{LeftInput: kids[0], RightInput: kids[1], SetOpType: t, IsAll: ptr(p.All)}}
	case *logical.Dedup:
		return fillDedup(r, p, kids[0])
	case *logical.SubqueryAlias:
		r.RelType = &pb.Relation_SubqueryAlias{SubqueryAlias: &pb.SubqueryAlias{Input: kids[0], Alias: p.Alias}}
		if len(p.Names) > 0 {
			return unsupported("ENCODE_RELATION", "Sending a subquery alias with column names over Spark Connect")
		}
	case *logical.Watermark:
		name, err := columnName(p.Col)
		r.RelType = &pb.Relation_WithWatermark{WithWatermark: &pb.WithWatermark{Input: kids[0], EventTime: name, DelayThreshold: structured.FormatDelay(p.Delay)}}
		return err
	case *logical.Repartition:
		return fillRepartition(r, p, kids[0])
	case *logical.Sample:
		r.RelType = &pb.Relation_Sample{Sample: &pb.Sample{Input: kids[0], LowerBound: p.Lower, UpperBound: p.Upper, Seed: ptr(p.Seed), WithReplacement: replaced(p)}}
	case *logical.Hint:
		h := &pb.Hint{Input: kids[0], Name: p.Name}
		for _, a := range p.Args {
			h.Parameters = append(h.Parameters, &pb.Expression{ExprType: &pb.Expression_Literal_{Literal: literalToProto(expr.Lit(a))}})
		}
		r.RelType = &pb.Relation_Hint{Hint: h}
	case *logical.ToDF:
		r.RelType = &pb.Relation_ToDf{ToDf: &pb.ToDF{Input: kids[0], ColumnNames: p.Names}}
	case *logical.TableFunc:
		args, err := exprsToProto(p.Args)
		r.RelType = &pb.Relation_UnresolvedTableValuedFunction{UnresolvedTableValuedFunction: &pb.UnresolvedTableValuedFunction{FunctionName: p.Name, Arguments: args}}
		return err
	case *logical.With:
		return fillWith(r, p)
	case *logical.Run:
		return fillRun(r, p, kids[0])
	default:
		return fillExpander(r, p, kids)
	}
	return nil
}

// fillExpander is fillRelation for the nodes that only DataFrames have.
func fillExpander(r *pb.Relation, p logical.Plan, kids []*pb.Relation) error {
	switch p := p.(type) {
	case *logical.WithColumns:
		w := &pb.WithColumns{Input: kids[0]}
		for _, c := range p.Cols {
			a, err := aliasToProto(c)
			if err != nil {
				return err
			}
			w.Aliases = append(w.Aliases, a)
		}
		r.RelType = &pb.Relation_WithColumns{WithColumns: w}
	case *logical.RenameColumns:
		w := &pb.WithColumnsRenamed{Input: kids[0]}
		for i := range p.From {
			w.Renames = append(w.Renames, &pb.WithColumnsRenamed_Rename{ColName: p.From[i], NewColName: p.To[i]})
		}
		r.RelType = &pb.Relation_WithColumnsRenamed{WithColumnsRenamed: w}
	case *logical.DropColumns:
		return fillDrop(r, p, kids[0])
	case *logical.ToSchema:
		r.RelType = &pb.Relation_ToSchema{ToSchema: &pb.ToSchema{Input: kids[0], Schema: schemaToProto(p.Schema)}}
	case *logical.Unpivot:
		ids, err := exprsToProto(p.Ids)
		if err != nil {
			return err
		}
		u := &pb.Unpivot{Input: kids[0], Ids: ids, VariableColumnName: p.NameCol, ValueColumnName: p.ValueCol}
		if p.ValuesGiven {
			u.Values = &pb.Unpivot_Values{}
			if u.Values.Values, err = exprsToProto(p.Values); err != nil {
				return err
			}
		}
		r.RelType = &pb.Relation_Unpivot{Unpivot: u}
	case *logical.FillNA:
		f := &pb.NAFill{Input: kids[0], Cols: p.Cols}
		for _, v := range p.Values {
			f.Values = append(f.Values, literalToProto(v))
		}
		r.RelType = &pb.Relation_FillNa{FillNa: f}
	case *logical.Summarize:
		if len(p.Stats) == 0 {
			r.RelType = &pb.Relation_Describe{Describe: &pb.StatDescribe{Input: kids[0], Cols: p.Cols}}
			return nil
		}
		if len(p.Cols) > 0 {
			return unsupported("ENCODE_RELATION", "Sending statistics of some columns over Spark Connect")
		}
		r.RelType = &pb.Relation_Summary{Summary: &pb.StatSummary{Input: kids[0], Statistics: p.Stats}}
	case *logical.DropNA:
		x := &pb.NADrop{Input: kids[0], Cols: p.Cols}
		if p.MinNonNull > 0 {
			x.MinNonNulls = ptr(int32(p.MinNonNull))
		}
		r.RelType = &pb.Relation_DropNa{DropNa: x}
	case *logical.ReplaceNA:
		x := &pb.NAReplace{Input: kids[0], Cols: p.Cols}
		for i := range p.Old {
			x.Replacements = append(x.Replacements, &pb.NAReplace_Replacement{OldValue: literalToProto(p.Old[i]), NewValue: literalToProto(p.New[i])})
		}
		r.RelType = &pb.Relation_Replace{Replace: x}
	default:
		return fillStatistic(r, p, kids)
	}
	return nil
}

func replaced(p *logical.Sample) *bool {
	if !p.Replace {
		return nil
	}
	return ptr(true)
}

func tableToProto(p *logical.UnresolvedTable) *pb.Read {
	if p.Format == "" {
		return &pb.Read{IsStreaming: p.Streaming, ReadType: &pb.Read_NamedTable_{NamedTable: &pb.Read_NamedTable{
			UnparsedIdentifier: structured.JoinName(p.Parts), Options: p.Options}}}
	}
	s := &pb.Read_DataSource{Format: ptr(p.Format), Paths: p.Paths, Options: p.Options}
	if p.Schema != nil {
		s.Schema = ptr(schemaToJSON(p.Schema))
	}
	return &pb.Read{IsStreaming: p.Streaming, ReadType: &pb.Read_DataSource_{DataSource: s}}
}

func sqlToProto(p *logical.SQLText) (*pb.SQL, error) {
	args, err := exprsToProto(p.Args)
	if err != nil {
		return nil, err
	}
	s := &pb.SQL{Query: p.Text, PosArguments: args}
	for _, name := range sortedKeys(p.Named) {
		if s.NamedArguments == nil {
			s.NamedArguments = map[string]*pb.Expression{}
		}
		if s.NamedArguments[name], err = exprToProto(p.Named[name]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// fillAggregate sends what groupBy(…).agg(…) builds: a List that begins with the keys. HAVING is a filter above.
func fillAggregate(r *pb.Relation, p *logical.Aggregate, child *pb.Relation) error {
	n := len(p.Keys)
	if len(p.List) < n {
		return unsupported("ENCODE_RELATION", "Sending an aggregation that leaves out its keys over Spark Connect")
	}
	for i, k := range p.Keys {
		if unaliased(p.List[i]).String() != k.String() {
			return unsupported("ENCODE_RELATION", "Sending an aggregation that does not begin with its keys over Spark Connect")
		}
	}
	keys, err := exprsToProto(p.List[:n])
	if err != nil {
		return err
	}
	aggs, err := exprsToProto(p.List[n:])
	if err != nil {
		return err
	}
	agg := &pb.Aggregate{Input: child, GroupType: pb.Aggregate_GROUP_TYPE_GROUPBY, GroupingExpressions: keys, AggregateExpressions: aggs}
	if p.Sets != nil {
		agg.GroupType = pb.Aggregate_GROUP_TYPE_GROUPING_SETS
		bare, err := exprsToProto(p.Keys)
		if err != nil {
			return err
		}
		for _, set := range p.Sets {
			s := &pb.Aggregate_GroupingSets{}
			for _, k := range set {
				s.GroupingSet = append(s.GroupingSet, bare[k])
			}
			agg.GroupingSets = append(agg.GroupingSets, s)
		}
	}
	if p.Having == nil {
		r.RelType = &pb.Relation_Aggregate{Aggregate: agg}
		return nil
	}
	cond, err := exprToProto(p.Having)
	r.RelType = &pb.Relation_Filter{Filter: &pb.Filter{Condition: cond, Input: &pb.Relation{RelType: &pb.Relation_Aggregate{Aggregate: agg}}}}
	return err
}

func sortToProto(p *logical.Sort, child *pb.Relation) (*pb.Sort, error) {
	s := &pb.Sort{Input: child, IsGlobal: ptr(p.Global)}
	for _, o := range p.Orders {
		x, err := sortOrderToProto(o)
		if err != nil {
			return nil, err
		}
		s.Order = append(s.Order, x)
	}
	return s, nil
}

// fillLimit sends the offset below the limit, as two relations when there are both.
func fillLimit(r *pb.Relation, p *logical.Limit, child *pb.Relation) error {
	offset, err := count32("Offset", p.Offset)
	if err != nil {
		return err
	}
	if p.N < 0 {
		r.RelType = &pb.Relation_Offset{Offset: &pb.Offset{Input: child, Offset: offset}}
		return nil
	}
	if offset > 0 {
		child = &pb.Relation{RelType: &pb.Relation_Offset{Offset: &pb.Offset{Input: child, Offset: offset}}}
	}
	n, err := count32("Limit", p.N)
	r.RelType = &pb.Relation_Limit{Limit: &pb.Limit{Input: child, Limit: n}}
	return err
}

func count32(what string, n int64) (int32, error) {
	if int64(int32(n)) != n {
		return 0, invalidPlan("OUT_OF_RANGE", "%s %d does not fit 32 bits.", what, n)
	}
	return int32(n), nil
}

func joinToProto(p *logical.Join, kids []*pb.Relation) (*pb.Join, error) {
	j := &pb.Join{Left: kids[0], Right: kids[1], UsingColumns: p.Using}
	for t, k := range joinKinds {
		if k == p.Kind {
			j.JoinType = t
		}
	}
	if p.Natural {
		return nil, unsupported("ENCODE_RELATION", "Sending a natural join over Spark Connect")
	}
	if p.Cond == nil {
		return j, nil
	}
	var err error
	j.JoinCondition, err = exprToProto(p.Cond)
	return j, err
}

// fillUnion sends a union of many as unions of two.
func fillUnion(r *pb.Relation, p *logical.Union, kids []*pb.Relation) error {
	if len(kids) < 2 {
		return unsupported("ENCODE_RELATION", "Sending a union of %d relations over Spark Connect", len(kids))
	}
	acc := kids[0]
	for _, k := range kids[1:] {
		acc = &pb.Relation{RelType: &pb.Relation_SetOp{SetOp: &pb.SetOperation{LeftInput: acc, RightInput: k,
			SetOpType: pb.SetOperation_SET_OP_TYPE_UNION, IsAll: ptr(true), ByName: ptr(p.ByName), AllowMissingColumns: ptr(p.AllowMissing)}}}
	}
	r.RelType = acc.RelType
	return nil
}

func fillDedup(r *pb.Relation, p *logical.Dedup, child *pb.Relation) error {
	d := &pb.Deduplicate{Input: child, WithinWatermark: ptr(p.WithinWatermark)}
	for _, c := range p.Cols {
		a, ok := c.(*expr.UnresolvedAttr)
		if !ok || len(a.Parts) != 1 {
			return unsupported("ENCODE_RELATION", "Sending the deduplication by %s over Spark Connect", c)
		}
		d.ColumnNames = append(d.ColumnNames, a.Parts[0])
	}
	if len(p.Cols) == 0 {
		d.AllColumnsAsKeys = ptr(true)
	}
	r.RelType = &pb.Relation_Deduplicate{Deduplicate: d}
	return nil
}

func columnName(e expr.Expr) (string, error) {
	if a, ok := e.(*expr.UnresolvedAttr); ok {
		return structured.JoinName(a.Parts), nil
	}
	return "", unsupported("ENCODE_RELATION", "A watermark on the expression %s", e)
}

func fillRepartition(r *pb.Relation, p *logical.Repartition, child *pb.Relation) error {
	if len(p.Keys) == 0 {
		r.RelType = &pb.Relation_Repartition{Repartition: &pb.Repartition{Input: child, NumPartitions: int32(p.N), Shuffle: ptr(true)}}
		return nil
	}
	keys, err := exprsToProto(p.Keys)
	x := &pb.RepartitionByExpression{Input: child, PartitionExprs: keys}
	if p.N > 0 {
		x.NumPartitions = ptr(int32(p.N))
	}
	r.RelType = &pb.Relation_RepartitionByExpression{RepartitionByExpression: x}
	return err
}

// fillWith does not use the encoded children: their order is With's own affair.
func fillWith(r *pb.Relation, p *logical.With) error {
	w := &pb.WithRelations{}
	for i, name := range p.Names {
		input, err := planToProto(p.Plans[i])
		if err != nil {
			return err
		}
		w.References = append(w.References, &pb.Relation{RelType: &pb.Relation_SubqueryAlias{SubqueryAlias: &pb.SubqueryAlias{Input: input, Alias: name}}})
	}
	var err error
	w.Root, err = planToProto(p.Child)
	r.RelType = &pb.Relation_WithRelations{WithRelations: w}
	return err
}

func fillRun(r *pb.Relation, p *logical.Run, child *pb.Relation) error {
	run := &sfpb.Run{Input: child, Mode: sfpb.Run_MODE_HISTORY, FromMicros: p.From, ToMicros: p.To, Name: p.Name}
	if p.Live {
		run.Mode = sfpb.Run_MODE_LIVE
	}
	ext, err := anypb.New(run)
	r.RelType = &pb.Relation_Extension{Extension: ext}
	return err
}

// fillDrop sends plain names as names and the columns of a certain relation as expressions.
func fillDrop(r *pb.Relation, p *logical.DropColumns, child *pb.Relation) error {
	x := &pb.Drop{Input: child}
	for _, c := range p.Cols {
		if c.PlanID == 0 && len(c.Parts) == 1 {
			x.ColumnNames = append(x.ColumnNames, c.Parts[0])
			continue
		}
		e, err := exprToProto(c)
		if err != nil {
			return err
		}
		x.Columns = append(x.Columns, e)
	}
	r.RelType = &pb.Relation_Drop{Drop: x}
	return nil
}
