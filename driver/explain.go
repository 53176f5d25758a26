package driver

import (
	"context"
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/cost"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
)

// explanation is every stage of planning as text: the physical plan alone in mode "simple", everything from the parsed plan
// on otherwise. Mode "cost" is what Spark's is: the optimised plan with what is estimated of each node, then the physical one.
func (s *Session) explanation(ctx context.Context, p logical.Plan, mode, src string) (string, error) {
	var b strings.Builder
	costs := strings.EqualFold(mode, "cost")
	full := mode != "" && !costs && !strings.EqualFold(mode, "simple") && !strings.EqualFold(mode, "formatted")
	if full {
		section(&b, "Parsed Logical Plan", logical.Format(p))
	}
	run, inner := unwrap(p)
	if strings.EqualFold(mode, "analyze") {
		return s.explainRun(ctx, p, inner, run, src)
	}
	analysed, err := s.analyse(ctx, p, src, run)
	if err != nil {
		return "", err
	}
	if full {
		section(&b, "Analyzed Logical Plan", logical.Format(analysed))
	}
	optimised := analysed
	for _, st := range optimize.Explain(analysed) {
		optimised = st.Plan
		if full {
			section(&b, fmt.Sprintf("Optimized: %s (%s)", st.Batch, strings.Join(st.Rules, ", ")), logical.Format(st.Plan))
		}
	}
	if costs {
		section(&b, "Optimized Logical Plan", cost.Format(optimised))
	}
	phys, err := s.explainPhysical(ctx, optimised)
	if err != nil {
		return "", err
	}
	section(&b, "Physical Plan", adaptiveLine(phys, false)+phys.Format())
	job, err := s.engine.opts.Cluster.Prepare(phys.Lower())
	if err != nil {
		return "", err
	}
	defer job.Close()
	if full || strings.EqualFold(mode, "formatted") {
		section(&b, "Stages", stages(job))
	}
	return b.String(), nil
}

// adaptiveLine is the first line of a plan that may change, or may have changed, while it runs.
func adaptiveLine(phys *physical.Physical, final bool) string {
	if !phys.Adapts() {
		return ""
	}
	return fmt.Sprintf("AdaptivePlan isFinalPlan=%t\n", final)
}

// explainRun runs a query, throws its rows away and prints the plan that it ended with: what adaptive execution changed and why, and
// the rows and the time of each operator.
func (s *Session) explainRun(ctx context.Context, p, inner logical.Plan, run *logical.Run, src string) (string, error) {
	if logical.IsCommand(inner) || run != nil || logical.IsStreaming(p) || readsStream(p) {
		return "", usererr.New("UNSUPPORTED_FEATURE.EXPLAIN_ANALYZE", "0A000", "EXPLAIN ANALYZE runs its statement, which must be a query over tables.").
			WithFix("Use EXPLAIN, or EXPLAIN STREAMING QUERY for a query that runs.")
	}
	phys, err := s.plan(ctx, p, src, nil)
	if err != nil {
		return "", err
	}
	job, err := s.engine.opts.Cluster.PrepareBatch(phys)
	if err != nil {
		return "", err
	}
	defer job.Close()
	res, err := job.Run(ctx, RunOptions{Binding: phys.Binding()})
	if err != nil {
		return "", err
	}
	head := adaptiveLine(phys, true)
	if final := job.Plan(); final != nil {
		phys = final
	}
	var b strings.Builder
	section(&b, "Physical Plan", head+phys.FormatRun(res.Times()))
	section(&b, "Stages", stages(job))
	return b.String(), nil
}

// explainPhysical plans a query, or the query inside a command with the command's sink.
func (s *Session) explainPhysical(ctx context.Context, p logical.Plan) (*physical.Physical, error) {
	o := physical.Options{}
	if ins, ok := p.(*logical.InsertInto); ok {
		target, err := s.table(ctx, ins.Table, ins.Pos)
		if err != nil {
			return nil, err
		}
		o.Sink, o.Overwrite, p = target, ins.Overwrite, ins.Query
	} else if logical.IsCommand(p) && len(p.Children()) > 0 {
		p = p.Children()[0]
	}
	if logical.IsStreaming(p) {
		o.Streaming, o.Query = true, "explain"
	}
	return s.physical(ctx, withoutRecursion(p), o)
}

func section(b *strings.Builder, title, body string) {
	fmt.Fprintf(b, "== %s ==\n%s\n", title, strings.TrimRight(body, "\n"))
}

// stages lists what the scheduler will run: stages, their tasks and fragments.
func stages(job *Job) string {
	var b strings.Builder
	for i, st := range job.Stages() {
		fmt.Fprintf(&b, "stage %d: %d tasks, up to %s, fragment %s\n", i, st.Root.Parts, st.Root.ID, st.Fragment.Hash)
	}
	return b.String()
}
