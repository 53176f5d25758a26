package connect

import (
	"context"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/types/known/anypb"
)

func (e *execution) command(ctx context.Context, c *pb.Command) error {
	if plan, ok, err := e.session.decoder(ctx).command(c); ok {
		if err != nil {
			return err
		}
		return e.carryOut(ctx, plan)
	}
	switch k := c.GetCommandType().(type) {
	case *pb.Command_SqlCommand:
		return e.sqlCommand(ctx, k.SqlCommand)
	case *pb.Command_WriteStreamOperationStart:
		return e.startStream(ctx, k.WriteStreamOperationStart)
	case *pb.Command_StreamingQueryCommand:
		return e.queryCommand(ctx, k.StreamingQueryCommand)
	case *pb.Command_StreamingQueryManagerCommand:
		return e.managerCommand(ctx, k.StreamingQueryManagerCommand)
	case *pb.Command_StreamingQueryListenerBusCommand:
		return e.busCommand(ctx, k.StreamingQueryListenerBusCommand)
	case *pb.Command_GetResourcesCommand:
		return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_GetResourcesCommandResult{
			GetResourcesCommandResult: &pb.GetResourcesCommandResult{}}})
	case *pb.Command_CheckpointCommand:
		return e.checkpoint(ctx, k.CheckpointCommand)
	case *pb.Command_RemoveCachedRemoteRelationCommand:
		e.session.uncachePlan(k.RemoveCachedRemoteRelationCommand.GetRelation().GetRelationId())
		return nil
	case *pb.Command_Extension:
		return e.extension(ctx, k.Extension)
	case nil:
		return notSet("spark.connect.Command", "COMMANDTYPE_NOT_SET")
	}
	name := oneofName(c, "command_type")
	return unsupported(feature(name), "The command %s", name)
}

// carryOut runs a command for its effect.
func (e *execution) carryOut(ctx context.Context, plan logical.Plan) error {
	plan, err := e.appendOrCreate(ctx, plan)
	if err != nil {
		return err
	}
	rows, err := e.execute(ctx, plan)
	if err != nil {
		return err
	}
	counters := rows.Counters
	if _, err := collect(ctx, rows, 0); err != nil {
		return err
	}
	return e.emitCounters(ctx, counters())
}

// appendOrCreate makes saveAsTable in mode append create a table that there is not.
func (e *execution) appendOrCreate(ctx context.Context, plan logical.Plan) (logical.Plan, error) {
	ins, ok := plan.(*logical.InsertInto)
	if !ok || !ins.ByName || ins.Overwrite {
		return plan, nil
	}
	_, err := e.session.backend.Analyze(ctx, &logical.UnresolvedTable{Parts: ins.Table})
	if u, is := usererr.As(err); is && u.Code == "TABLE_OR_VIEW_NOT_FOUND" {
		return &logical.CreateTable{Name: ins.Table, As: ins.Query}, nil
	}
	return plan, nil
}

// sqlCommand is spark.sql: a query is given back to be run later, a command is carried out now and its result given
// back as rows.
func (e *execution) sqlCommand(ctx context.Context, c *pb.SqlCommand) error {
	input := c.GetInput()
	if input == nil {
		input = oldSQL(c)
	}
	plan, err := e.decode(ctx, input)
	if err != nil {
		return err
	}
	info, err := e.session.backend.Analyze(ctx, plan)
	if err != nil {
		return err
	}
	if !info.Command {
		return e.emitSQLResult(ctx, input)
	}
	rows, err := e.execute(ctx, plan)
	if err != nil {
		return err
	}
	schema := rows.Schema()
	counters := rows.Counters
	batches, err := collect(ctx, rows, 0)
	if err != nil {
		return err
	}
	local, err := localToProto(&logical.Local{Schema: schema, Batches: nonEmpty(schema, batches)})
	if err != nil {
		return err
	}
	if err := e.emitSQLResult(ctx, &pb.Relation{Common: input.GetCommon(), RelType: &pb.Relation_LocalRelation{LocalRelation: local}}); err != nil {
		return err
	}
	return e.emitCounters(ctx, counters())
}

// nonEmpty gives the result of a command at least one batch: some clients read the rows without looking at the schema.
func nonEmpty(schema *column.Schema, batches []*column.Batch) []*column.Batch {
	if len(batches) == 0 {
		return []*column.Batch{emptyBatch(schema)}
	}
	return batches
}

// oldSQL is the form of a SQL command before 4.0.
func oldSQL(c *pb.SqlCommand) *pb.Relation {
	//nolint:staticcheck // clients before 4.0 send these fields
	return &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: c.GetSql(), Args: c.GetArgs(), PosArgs: c.GetPosArgs(),
		NamedArguments: c.GetNamedArguments(), PosArguments: c.GetPosArguments()}}}
}

func (e *execution) emitSQLResult(ctx context.Context, r *pb.Relation) error {
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_SqlCommandResult_{
		SqlCommandResult: &pb.ExecutePlanResponse_SqlCommandResult{Relation: r}}})
}

// checkpoint computes a DataFrame now and keeps its rows; a local, lazy one is kept as its plan.
func (e *execution) checkpoint(ctx context.Context, c *pb.CheckpointCommand) error {
	plan, err := e.decode(ctx, c.GetRelation())
	if err != nil {
		return err
	}
	if c.GetEager() {
		rows, err := e.execute(ctx, plan)
		if err != nil {
			return err
		}
		schema := rows.Schema()
		batches, err := collect(ctx, rows, 0)
		if err != nil {
			return err
		}
		plan = newLocal(schema, batches)
	}
	id := uuid.NewString()
	e.session.cachePlan(id, plan)
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_CheckpointCommandResult{
		CheckpointCommandResult: &pb.CheckpointCommandResult{Relation: &pb.CachedRemoteRelation{RelationId: id}}}})
}

func (e *execution) extension(ctx context.Context, a *anypb.Any) error {
	m, err := unpack(a)
	if err != nil {
		return err
	}
	switch m := m.(type) {
	case *sfpb.QueryList:
		return e.queryList(ctx)
	case *sfpb.ServerInfo:
		return e.serverInfo(ctx)
	case *sfpb.Statement:
		plan, err := e.session.decoder(ctx).statement(m)
		if err != nil {
			return err
		}
		rows, err := e.execute(ctx, plan)
		if err != nil {
			return err
		}
		return e.emitRows(ctx, rows)
	}
	return noHandler(a.GetTypeUrl())
}

func (s *session) cachePlan(id string, p logical.Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached[id] = p
}

func (s *session) uncachePlan(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cached, id)
}
