package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured/logical"
)

// defaultSupport is Spark's for freqItems.
const defaultSupport = 0.01

func (d *decoder) freqItems(f *pb.StatFreqItems) (logical.Plan, error) {
	child, err := d.child("StatFreqItems", f.GetInput())
	out := &logical.FreqItems{Cols: f.GetCols(), Support: defaultSupport, Child: child}
	if f.Support != nil {
		out.Support = f.GetSupport()
	}
	return out, err
}

func (d *decoder) sampleBy(s *pb.StatSampleBy) (logical.Plan, error) {
	child, err := d.child("StatSampleBy", s.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.SampleBy{Seed: s.GetSeed(), Child: child}
	if out.Col, err = d.expr(s.GetCol()); err != nil {
		return nil, err
	}
	for _, f := range s.GetFractions() {
		l, err := literalFromProto(f.GetStratum())
		if err != nil {
			return nil, err
		}
		out.Strata, out.Fractions = append(out.Strata, l), append(out.Fractions, f.GetFraction())
	}
	return out, nil
}

func (d *decoder) transpose(t *pb.Transpose) (logical.Plan, error) {
	child, err := d.child("Transpose", t.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.Transpose{Child: child}
	switch list := t.GetIndexColumns(); len(list) {
	case 0:
	case 1:
		out.Index, err = d.expr(list[0])
	default:
		return nil, invalidPlan("TRANSPOSE", "A transposition has at most one index column, but got %d.", len(list))
	}
	return out, err
}

func (d *decoder) observe(c *pb.CollectMetrics) (logical.Plan, error) {
	child, err := d.child("CollectMetrics", c.GetInput())
	if err != nil {
		return nil, err
	}
	metrics, err := d.exprs(c.GetMetrics())
	return &logical.Observe{Name: c.GetName(), Metrics: metrics, Child: child}, err
}

func (d *decoder) parse(p *pb.Parse) (logical.Plan, error) {
	child, err := d.child("Parse", p.GetInput())
	if err != nil {
		return nil, err
	}
	out := &logical.Parse{Options: p.GetOptions(), Child: child}
	switch p.GetFormat() {
	case pb.Parse_PARSE_FORMAT_CSV:
		out.Format = "csv"
	case pb.Parse_PARSE_FORMAT_JSON:
		out.Format = "json"
	default:
		return nil, invalidPlan("INVALID_ENUM", "The format %s of texts is not known.", p.GetFormat())
	}
	if p.Schema != nil {
		out.Schema, err = schemaFromProto(p.GetSchema())
	}
	return out, err
}
