package connect

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// StartQuery starts a streaming query on the server.
func (c *Client) StartQuery(ctx context.Context, q *logical.CreateStream) (structured.QueryHandle, error) {
	w, err := streamToProto(q)
	if err != nil {
		return nil, err
	}
	var started *pb.WriteStreamOperationStartResult
	_, err = c.drain(ctx, &pb.Command{CommandType: &pb.Command_WriteStreamOperationStart{WriteStreamOperationStart: w}}, structured.ExecOptions{},
		func(r *pb.ExecutePlanResponse) error {
			if x := r.GetWriteStreamOperationStartResult(); x != nil {
				started = x
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	if started == nil {
		return nil, protocol("the start of a streaming query was answered without its id")
	}
	return &remoteQuery{c: c, id: started.GetQueryId(), name: started.GetName()}, nil
}

// Queries lists streaming queries. A StreamFlow server lists ended ones too; Apache Spark only those that run.
func (c *Client) Queries(ctx context.Context) ([]structured.QueryHandle, error) {
	list, err := c.QueryList(ctx)
	if u, ok := usererr.As(err); ok && strings.Contains(u.Code, "EXTENSION") {
		return c.activeQueries(ctx)
	}
	if err != nil {
		return nil, err
	}
	var out []structured.QueryHandle
	for _, q := range list {
		out = append(out, &remoteQuery{c: c, id: &pb.StreamingQueryInstanceId{Id: q.GetId(), RunId: q.GetRunId()}, name: q.GetName()})
	}
	return out, nil
}

// QueryList lists streaming queries with their states, by StreamFlow's own message.
func (c *Client) QueryList(ctx context.Context) ([]*sfpb.QueryInfo, error) {
	m, err := c.ask(ctx, &sfpb.QueryList{})
	if err != nil {
		return nil, err
	}
	list, ok := m.(*sfpb.QueryListResult)
	if !ok {
		return nil, protocol("the list of queries was answered by another message")
	}
	return list.GetQueries(), nil
}

// ServerInfo asks a StreamFlow server what it is.
func (c *Client) ServerInfo(ctx context.Context) (*sfpb.ServerInfo, error) {
	m, err := c.ask(ctx, &sfpb.ServerInfo{})
	if err != nil {
		return nil, err
	}
	info, ok := m.(*sfpb.ServerInfo)
	if !ok {
		return nil, protocol("the question for the server was answered by another message")
	}
	return info, nil
}

// ask sends one of StreamFlow's own commands and returns its answer.
func (c *Client) ask(ctx context.Context, q proto.Message) (proto.Message, error) {
	ext, err := anypb.New(q)
	if err != nil {
		return nil, err
	}
	var got proto.Message
	_, err = c.drain(ctx, &pb.Command{CommandType: &pb.Command_Extension{Extension: ext}}, structured.ExecOptions{},
		func(r *pb.ExecutePlanResponse) error {
			if x := r.GetExtension(); x != nil {
				var err error
				got, err = unpack(x)
				return err
			}
			return nil
		})
	if err == nil && got == nil {
		err = protocol("a command was answered without a result")
	}
	return got, err
}

func (c *Client) activeQueries(ctx context.Context) ([]structured.QueryHandle, error) {
	var out []structured.QueryHandle
	cmd := &pb.StreamingQueryManagerCommand{Command: &pb.StreamingQueryManagerCommand_Active{Active: true}}
	_, err := c.drain(ctx, &pb.Command{CommandType: &pb.Command_StreamingQueryManagerCommand{StreamingQueryManagerCommand: cmd}}, structured.ExecOptions{},
		func(r *pb.ExecutePlanResponse) error {
			for _, q := range r.GetStreamingQueryManagerCommandResult().GetActive().GetActiveQueries() {
				out = append(out, &remoteQuery{c: c, id: q.GetId(), name: q.GetName()})
			}
			return nil
		})
	return out, err
}

// remoteQuery is a streaming query on a server.
type remoteQuery struct {
	c    *Client
	id   *pb.StreamingQueryInstanceId
	name string
}

func (q *remoteQuery) ID() string    { return q.id.GetId() }
func (q *remoteQuery) RunID() string { return q.id.GetRunId() }
func (q *remoteQuery) Name() string  { return q.name }

func (q *remoteQuery) do(ctx context.Context, cmd *pb.StreamingQueryCommand) (*pb.StreamingQueryCommandResult, error) {
	cmd.QueryId = q.id
	var result *pb.StreamingQueryCommandResult
	_, err := q.c.drain(ctx, &pb.Command{CommandType: &pb.Command_StreamingQueryCommand{StreamingQueryCommand: cmd}}, structured.ExecOptions{},
		func(r *pb.ExecutePlanResponse) error {
			if x := r.GetStreamingQueryCommandResult(); x != nil {
				result = x
			}
			return nil
		})
	return result, err
}

func (q *remoteQuery) Status(ctx context.Context) (structured.QueryStatus, error) {
	r, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_Status{Status: true}})
	s := r.GetStatus()
	return structured.QueryStatus{Message: s.GetStatusMessage(), DataAvailable: s.GetIsDataAvailable(), TriggerActive: s.GetIsTriggerActive(), Active: s.GetIsActive()}, err
}

func (q *remoteQuery) Recent(ctx context.Context) ([]structured.QueryProgress, error) {
	r, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_RecentProgress{RecentProgress: true}})
	if err != nil {
		return nil, err
	}
	var out []structured.QueryProgress
	for _, text := range r.GetRecentProgress().GetRecentProgressJson() {
		var p structured.QueryProgress
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, protocol("a query's progress is not JSON: " + err.Error())
		}
		out = append(out, p)
	}
	return out, nil
}

func (q *remoteQuery) Stop(ctx context.Context) error {
	_, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_Stop{Stop: true}})
	return err
}

func (q *remoteQuery) ProcessAllAvailable(ctx context.Context) error {
	_, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_ProcessAllAvailable{ProcessAllAvailable: true}})
	return err
}

// awaitPoll bounds one wait on the server, so that a client that went away is noticed.
const awaitPoll = 10 * time.Second

func (q *remoteQuery) Await(ctx context.Context) error {
	for {
		r, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_AwaitTermination{
			AwaitTermination: &pb.StreamingQueryCommand_AwaitTerminationCommand{TimeoutMs: ptr(awaitPoll.Milliseconds())}}})
		if err != nil || r.GetAwaitTermination().GetTerminated() {
			return err
		}
	}
}

func (q *remoteQuery) Err(ctx context.Context) (error, error) {
	r, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_Exception{Exception: true}})
	if err != nil || r.GetException().ExceptionMessage == nil {
		return nil, err
	}
	_, text, _ := strings.Cut(r.GetException().GetExceptionMessage(), ": ")
	code := r.GetException().GetErrorClass()
	return &usererr.Error{Code: code, Message: stripText(text, code, "")}, nil
}

func (q *remoteQuery) Explain(ctx context.Context, extended bool) (string, error) {
	r, err := q.do(ctx, &pb.StreamingQueryCommand{Command: &pb.StreamingQueryCommand_Explain{Explain: &pb.StreamingQueryCommand_ExplainCommand{Extended: extended}}})
	return r.GetExplain().GetResult(), err
}
