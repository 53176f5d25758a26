package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// startOption carries logical.CreateStream's Start among the options of a write stream.
const startOption = "streamflow.start"

// command decodes the commands that are logical plans; ok is false for the others, which the server carries out itself.
func (d *decoder) command(c *pb.Command) (p logical.Plan, ok bool, err error) {
	switch k := c.GetCommandType().(type) {
	case *pb.Command_CreateDataframeView:
		p, err = d.createView(k.CreateDataframeView)
	case *pb.Command_WriteOperation:
		p, err = d.write(k.WriteOperation)
	case *pb.Command_WriteOperationV2:
		p, err = d.writeV2(k.WriteOperationV2)
	default:
		return nil, false, nil
	}
	return p, true, err
}

func (d *decoder) createView(v *pb.CreateDataFrameViewCommand) (logical.Plan, error) {
	query, err := d.child("CreateDataFrameViewCommand", v.GetInput())
	if err != nil {
		return nil, err
	}
	name, err := structured.SplitName(v.GetName())
	if err != nil {
		return nil, err
	}
	if v.GetIsGlobal() {
		name = append([]string{"global_temp"}, name...)
	}
	return &logical.CreateView{Name: name, Temporary: true, OrReplace: v.GetReplace(), Query: query}, nil
}

var saveModes = map[pb.WriteOperation_SaveMode]string{
	pb.WriteOperation_SAVE_MODE_UNSPECIFIED: "error", pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS: "error",
	pb.WriteOperation_SAVE_MODE_APPEND: "append", pb.WriteOperation_SAVE_MODE_OVERWRITE: "overwrite",
	pb.WriteOperation_SAVE_MODE_IGNORE: "ignore",
}

func (d *decoder) write(w *pb.WriteOperation) (logical.Plan, error) {
	query, err := d.child("WriteOperation", w.GetInput())
	if err != nil {
		return nil, err
	}
	mode, ok := saveModes[w.GetMode()]
	if !ok {
		return nil, invalidPlan("INVALID_ENUM", "The save mode %s is not known.", w.GetMode())
	}
	if w.GetBucketBy() != nil || len(w.GetSortColumnNames()) > 0 || len(w.GetClusteringColumns()) > 0 {
		return nil, unsupported("BUCKETING", "Bucketing, sorting or clustering of written data")
	}
	table := w.GetTable()
	if table == nil {
		return &logical.WriteTo{Format: d.format(w.GetSource()), Path: w.GetPath(), Mode: mode, Options: w.GetOptions(),
			PartitionBy: w.GetPartitioningColumns(), Query: query}, nil
	}
	name, err := structured.SplitName(table.GetTableName())
	if err != nil {
		return nil, err
	}
	if table.GetSaveMethod() == pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO {
		return &logical.InsertInto{Table: name, Overwrite: mode == "overwrite", Query: query}, nil
	}
	if mode == "append" {
		return &logical.InsertInto{Table: name, ByName: true, Query: query}, nil
	}
	return &logical.CreateTable{Name: name, Provider: w.GetSource(), Options: w.GetOptions(), IfNotExists: mode == "ignore",
		OrReplace: mode == "overwrite", As: query}, nil
}

func (d *decoder) writeV2(w *pb.WriteOperationV2) (logical.Plan, error) {
	query, err := d.child("WriteOperationV2", w.GetInput())
	if err != nil {
		return nil, err
	}
	name, err := structured.SplitName(w.GetTableName())
	if err != nil {
		return nil, err
	}
	if len(w.GetPartitioningColumns()) > 0 || len(w.GetClusteringColumns()) > 0 {
		return nil, unsupported("PARTITIONED_TABLE", "Partitioning or clustering of a table")
	}
	switch w.GetMode() {
	case pb.WriteOperationV2_MODE_APPEND:
		return &logical.InsertInto{Table: name, ByName: true, Query: query}, nil
	case pb.WriteOperationV2_MODE_CREATE:
		return d.createAs(w, name, query, false), nil
	case pb.WriteOperationV2_MODE_REPLACE, pb.WriteOperationV2_MODE_CREATE_OR_REPLACE:
		return d.createAs(w, name, query, true), nil
	case pb.WriteOperationV2_MODE_OVERWRITE:
		if l := w.GetOverwriteCondition().GetLiteral(); l != nil && l.GetBoolean() {
			return &logical.InsertInto{Table: name, ByName: true, Overwrite: true, Query: query}, nil
		}
		return nil, unsupported("OVERWRITE_BY_CONDITION", "Overwriting the rows that satisfy a condition")
	}
	return nil, unsupported(w.GetMode().String(), "The write mode %s", w.GetMode())
}

func (d *decoder) createAs(w *pb.WriteOperationV2, name []string, query logical.Plan, replace bool) logical.Plan {
	opts := map[string]string{}
	for k, v := range w.GetOptions() {
		opts[k] = v
	}
	for k, v := range w.GetTableProperties() {
		opts[k] = v
	}
	return &logical.CreateTable{Name: name, Provider: w.GetProvider(), Options: opts, OrReplace: replace, As: query}
}

// stream decodes the start of a streaming query.
func (d *decoder) stream(w *pb.WriteStreamOperationStart) (*logical.CreateStream, error) {
	query, err := d.child("WriteStreamOperationStart", w.GetInput())
	if err != nil {
		return nil, err
	}
	if w.GetForeachWriter() != nil || w.GetForeachBatch() != nil {
		return nil, unsupported("FOREACH", "foreach or foreachBatch with a Python function, which the node cannot run").
			WithFix("Write to a topic, files or memory and read that; let spark.streams.addListener run Python after each batch; or register a Go function (ForeachBatch).")
	}
	if len(w.GetPartitioningColumnNames()) > 0 || len(w.GetClusteringColumnNames()) > 0 {
		return nil, unsupported("PARTITIONED_SINK", "Partitioning the output of a streaming query by columns")
	}
	out := &logical.CreateStream{Name: w.GetQueryName(), Query: query, Format: w.GetFormat(), OutputMode: w.GetOutputMode(), Options: map[string]string{}}
	for k, v := range w.GetOptions() {
		out.Options[k] = v
	}
	out.Start = out.Options[startOption]
	delete(out.Options, startOption)
	if out.OutputMode == "" {
		out.OutputMode = "append"
	}
	if err := d.trigger(w, out); err != nil {
		return nil, err
	}
	switch s := w.GetSinkDestination().(type) {
	case *pb.WriteStreamOperationStart_TableName:
		out.MakeSink = true
		out.Sink, err = structured.SplitName(s.TableName)
		return out, err
	case *pb.WriteStreamOperationStart_Path:
		out.Options["path"] = s.Path
	}
	out.Format = d.format(out.Format)
	return out, nil
}

func (d *decoder) trigger(w *pb.WriteStreamOperationStart, out *logical.CreateStream) error {
	switch t := w.GetTrigger().(type) {
	case *pb.WriteStreamOperationStart_ProcessingTimeInterval:
		if _, err := structured.ParseDelay(t.ProcessingTimeInterval); err != nil {
			return err
		}
		out.Trigger = t.ProcessingTimeInterval
	case *pb.WriteStreamOperationStart_AvailableNow:
		out.Trigger = "available_now"
	case *pb.WriteStreamOperationStart_Once:
		out.Trigger = "once"
	case *pb.WriteStreamOperationStart_ContinuousCheckpointInterval:
		return unsupported("CONTINUOUS_TRIGGER", "The continuous trigger").WithFix("Leave the trigger out: a batch starts as soon as data is there.")
	}
	return nil
}

// The other direction, for the client.

// commandToProto is a plan as a command; ok is false when the plan is a query or a statement that only SQL text carries.
func commandToProto(p logical.Plan) (c *pb.Command, ok bool, err error) {
	switch p := p.(type) {
	case *logical.CreateView:
		if p.Temporary && p.SQL == "" && len(p.Columns) == 0 {
			c, err = viewToProto(p)
			return c, true, err
		}
	case *logical.InsertInto:
		c, err = insertToProto(p)
		return c, true, err
	case *logical.CreateTable:
		if p.As != nil && len(p.Columns) == 0 && p.Location == "" && p.Watermark == nil {
			c, err = createTableToProto(p)
			return c, true, err
		}
	case *logical.WriteTo:
		c, err = writeToProto(p)
		return c, true, err
	}
	if logical.IsCommand(p) {
		return nil, false, unsupported("ENCODE_COMMAND", "Sending the command %s over Spark Connect", p)
	}
	return nil, false, nil
}

func viewToProto(p *logical.CreateView) (*pb.Command, error) {
	input, err := planToProto(p.Query)
	if err != nil {
		return nil, err
	}
	v := &pb.CreateDataFrameViewCommand{Input: input, Name: structured.JoinName(p.Name), Replace: p.OrReplace}
	if len(p.Name) == 2 && p.Name[0] == "global_temp" {
		v.IsGlobal, v.Name = true, structured.JoinName(p.Name[1:])
	}
	return &pb.Command{CommandType: &pb.Command_CreateDataframeView{CreateDataframeView: v}}, nil
}

func insertToProto(p *logical.InsertInto) (*pb.Command, error) {
	if len(p.Columns) > 0 {
		return nil, unsupported("ENCODE_COMMAND", "Sending INSERT with a column list over Spark Connect")
	}
	input, err := planToProto(p.Query)
	if err != nil {
		return nil, err
	}
	if p.ByName {
		w := &pb.WriteOperationV2{Input: input, TableName: structured.JoinName(p.Table), Mode: pb.WriteOperationV2_MODE_APPEND}
		if p.Overwrite {
			w.Mode = pb.WriteOperationV2_MODE_OVERWRITE
			w.OverwriteCondition = &pb.Expression{ExprType: &pb.Expression_Literal_{Literal: literalToProto(expr.Lit(true))}}
		}
		return &pb.Command{CommandType: &pb.Command_WriteOperationV2{WriteOperationV2: w}}, nil
	}
	mode := pb.WriteOperation_SAVE_MODE_APPEND
	if p.Overwrite {
		mode = pb.WriteOperation_SAVE_MODE_OVERWRITE
	}
	return writeCommand(&pb.WriteOperation{Input: input, Mode: mode, SaveType: &pb.WriteOperation_Table{Table: &pb.WriteOperation_SaveTable{
		TableName: structured.JoinName(p.Table), SaveMethod: pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO}}}), nil
}

func createTableToProto(p *logical.CreateTable) (*pb.Command, error) {
	input, err := planToProto(p.As)
	if err != nil {
		return nil, err
	}
	mode := pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS
	switch {
	case p.OrReplace:
		mode = pb.WriteOperation_SAVE_MODE_OVERWRITE
	case p.IfNotExists:
		mode = pb.WriteOperation_SAVE_MODE_IGNORE
	}
	w := &pb.WriteOperation{Input: input, Mode: mode, Options: p.Options, SaveType: &pb.WriteOperation_Table{Table: &pb.WriteOperation_SaveTable{
		TableName: structured.JoinName(p.Name), SaveMethod: pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_SAVE_AS_TABLE}}}
	if p.Provider != "" {
		w.Source = ptr(p.Provider)
	}
	return writeCommand(w), nil
}

func writeToProto(p *logical.WriteTo) (*pb.Command, error) {
	input, err := planToProto(p.Query)
	if err != nil {
		return nil, err
	}
	w := &pb.WriteOperation{Input: input, Options: p.Options, PartitioningColumns: p.PartitionBy}
	if p.Format != "" {
		w.Source = ptr(p.Format)
	}
	if p.Path != "" {
		w.SaveType = &pb.WriteOperation_Path{Path: p.Path}
	}
	for m, name := range saveModes {
		if name == p.Mode && m != pb.WriteOperation_SAVE_MODE_UNSPECIFIED {
			w.Mode = m
		}
	}
	return writeCommand(w), nil
}

func writeCommand(w *pb.WriteOperation) *pb.Command {
	return &pb.Command{CommandType: &pb.Command_WriteOperation{WriteOperation: w}}
}

func streamToProto(q *logical.CreateStream) (*pb.WriteStreamOperationStart, error) {
	input, err := planToProto(q.Query)
	if err != nil {
		return nil, err
	}
	w := &pb.WriteStreamOperationStart{Input: input, Format: q.Format, OutputMode: q.OutputMode, QueryName: q.Name, Options: map[string]string{}}
	for k, v := range q.Options {
		w.Options[k] = v
	}
	if q.Start != "" {
		w.Options[startOption] = q.Start
	}
	switch q.Trigger {
	case "":
	case "once":
		w.Trigger = &pb.WriteStreamOperationStart_Once{Once: true}
	case "available_now":
		w.Trigger = &pb.WriteStreamOperationStart_AvailableNow{AvailableNow: true}
	default:
		w.Trigger = &pb.WriteStreamOperationStart_ProcessingTimeInterval{ProcessingTimeInterval: q.Trigger}
	}
	if len(q.Sink) > 0 {
		w.SinkDestination = &pb.WriteStreamOperationStart_TableName{TableName: structured.JoinName(q.Sink)}
	}
	return w, nil
}
