package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// fillStatistic is fillRelation for DataFrame.stat and its like.
func fillStatistic(r *pb.Relation, p logical.Plan, kids []*pb.Relation) error {
	switch p := p.(type) {
	case *logical.ApproxQuantile:
		r.RelType = &pb.Relation_ApproxQuantile{ApproxQuantile: &pb.StatApproxQuantile{Input: kids[0], Cols: p.Cols, Probabilities: p.Probabilities, RelativeError: p.Error}}
	case *logical.Crosstab:
		r.RelType = &pb.Relation_Crosstab{Crosstab: &pb.StatCrosstab{Input: kids[0], Col1: p.Col1, Col2: p.Col2}}
	case *logical.FreqItems:
		r.RelType = &pb.Relation_FreqItems{FreqItems: &pb.StatFreqItems{Input: kids[0], Cols: p.Cols, Support: ptr(p.Support)}}
	case *logical.SampleBy:
		col, err := exprToProto(p.Col)
		s := &pb.StatSampleBy{Input: kids[0], Col: col, Seed: ptr(p.Seed)}
		for i, l := range p.Strata {
			s.Fractions = append(s.Fractions, &pb.StatSampleBy_Fraction{Stratum: literalToProto(l), Fraction: p.Fractions[i]})
		}
		r.RelType = &pb.Relation_SampleBy{SampleBy: s}
		return err
	case *logical.Transpose:
		t := &pb.Transpose{Input: kids[0]}
		var err error
		if p.Index != nil {
			t.IndexColumns, err = exprsToProto([]expr.Expr{p.Index})
		}
		r.RelType = &pb.Relation_Transpose{Transpose: t}
		return err
	case *logical.Observe:
		metrics, err := exprsToProto(p.Metrics)
		r.RelType = &pb.Relation_CollectMetrics{CollectMetrics: &pb.CollectMetrics{Input: kids[0], Name: p.Name, Metrics: metrics}}
		return err
	case *logical.Parse:
		x := &pb.Parse{Input: kids[0], Format: pb.Parse_PARSE_FORMAT_JSON, Options: p.Options}
		if p.Format == "csv" {
			x.Format = pb.Parse_PARSE_FORMAT_CSV
		}
		if p.Schema != nil {
			x.Schema = schemaToProto(p.Schema)
		}
		r.RelType = &pb.Relation_Parse{Parse: x}
	default:
		return unsupported("ENCODE_RELATION", "Sending the relation %s over Spark Connect", p)
	}
	return nil
}
