package optimize

import (
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// observe checks the metrics and leaves only the rows: whoever runs the query computes the metrics beside it.
func (a *analyzer) observe(p *logical.Observe) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	if logical.IsStreaming(child) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.OBSERVE_STREAM", "0A000", "Observed metrics of a stream are not supported.").WithFix("Read the query's progress, or aggregate into another sink.")
	}
	if _, err := a.plan(MetricsOf(p, done{child})); err != nil {
		return nil, err
	}
	return child, nil
}

// MetricsOf is the query for an observation's metrics over its rows.
func MetricsOf(p *logical.Observe, rows logical.Plan) logical.Plan {
	return &logical.Aggregate{List: p.Metrics, Child: rows}
}
