package connect

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

func (e *execution) startStream(ctx context.Context, w *pb.WriteStreamOperationStart) error {
	q, err := e.session.decoder(ctx).stream(w)
	if err != nil {
		return err
	}
	h, err := e.session.backend.StartQuery(ctx, q)
	if err != nil {
		return err
	}
	out := &pb.WriteStreamOperationStartResult{QueryId: instanceID(h), Name: h.Name()}
	// Only a session that listens is told: its onQueryStarted runs before start returns.
	if bus := e.session.listeners(); bus != nil {
		out.QueryStartedEventJson = ptr(startedJSON(h, time.Now()))
		bus.follow(h)
	}
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_WriteStreamOperationStartResult{WriteStreamOperationStartResult: out}})
}

func instanceID(h structured.QueryHandle) *pb.StreamingQueryInstanceId {
	return &pb.StreamingQueryInstanceId{Id: h.ID(), RunId: h.RunID()}
}

// query finds a streaming query of the session by both its ids.
func (e *execution) query(ctx context.Context, id *pb.StreamingQueryInstanceId) (structured.QueryHandle, error) {
	list, err := e.session.backend.Queries(ctx)
	if err != nil {
		return nil, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		h := list[i]
		if h.ID() != id.GetId() {
			continue
		}
		if id.GetRunId() != "" && h.RunID() != id.GetRunId() {
			return nil, usererr.New("STREAMING_QUERY_NOT_FOUND", "42704", "Run id mismatch for query id %s. Run id in the request %s does not match one on the server %s. The query might have restarted.",
				id.GetId(), id.GetRunId(), h.RunID())
		}
		return h, nil
	}
	return nil, usererr.New("STREAMING_QUERY_NOT_FOUND", "42704", "Streaming query %s is not found.", id.GetId())
}

func (e *execution) queryCommand(ctx context.Context, c *pb.StreamingQueryCommand) error {
	h, err := e.query(ctx, c.GetQueryId())
	if err != nil {
		return err
	}
	out := &pb.StreamingQueryCommandResult{QueryId: instanceID(h)}
	if err := answerQuery(ctx, h, c, out); err != nil {
		return err
	}
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryCommandResult{StreamingQueryCommandResult: out}})
}

func answerQuery(ctx context.Context, h structured.QueryHandle, c *pb.StreamingQueryCommand, out *pb.StreamingQueryCommandResult) error {
	switch k := c.GetCommand().(type) {
	case *pb.StreamingQueryCommand_Status:
		st, err := h.Status(ctx)
		out.ResultType = &pb.StreamingQueryCommandResult_Status{Status: &pb.StreamingQueryCommandResult_StatusResult{
			StatusMessage: st.Message, IsDataAvailable: st.DataAvailable, IsTriggerActive: st.TriggerActive, IsActive: st.Active}}
		return err
	case *pb.StreamingQueryCommand_LastProgress:
		return recentProgress(ctx, h, true, out)
	case *pb.StreamingQueryCommand_RecentProgress:
		return recentProgress(ctx, h, false, out)
	case *pb.StreamingQueryCommand_Stop:
		return h.Stop(ctx)
	case *pb.StreamingQueryCommand_ProcessAllAvailable:
		return h.ProcessAllAvailable(ctx)
	case *pb.StreamingQueryCommand_Explain:
		text, err := h.Explain(ctx, k.Explain.GetExtended())
		out.ResultType = &pb.StreamingQueryCommandResult_Explain{Explain: &pb.StreamingQueryCommandResult_ExplainResult{Result: text}}
		return err
	case *pb.StreamingQueryCommand_Exception:
		return queryException(ctx, h, out)
	case *pb.StreamingQueryCommand_AwaitTermination:
		ended, err := awaitQuery(ctx, h, k.AwaitTermination.TimeoutMs)
		out.ResultType = &pb.StreamingQueryCommandResult_AwaitTermination{AwaitTermination: &pb.StreamingQueryCommandResult_AwaitTerminationResult{Terminated: ended}}
		return err
	}
	return notSet("spark.connect.StreamingQueryCommand", "COMMAND_NOT_SET")
}

func recentProgress(ctx context.Context, h structured.QueryHandle, last bool, out *pb.StreamingQueryCommandResult) error {
	list, err := h.Recent(ctx)
	if err != nil {
		return err
	}
	if last && len(list) > 1 {
		list = list[len(list)-1:]
	}
	r := &pb.StreamingQueryCommandResult_RecentProgressResult{}
	for _, p := range list {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		r.RecentProgressJson = append(r.RecentProgressJson, string(text))
	}
	out.ResultType = &pb.StreamingQueryCommandResult_RecentProgress{RecentProgress: r}
	return nil
}

// queryException answers the error that ended a query as Java would print it: clients split it at the first ": ".
func queryException(ctx context.Context, h structured.QueryHandle, out *pb.StreamingQueryCommandResult) error {
	failure, err := h.Err(ctx)
	if err != nil {
		return err
	}
	r := &pb.StreamingQueryCommandResult_ExceptionResult{}
	if failure != nil {
		u := asUserError(failure)
		r.ExceptionMessage = ptr("org.apache.spark.sql.streaming.StreamingQueryException: " + sparkText(u))
		r.ErrorClass = ptr(u.Code)
	}
	out.ResultType = &pb.StreamingQueryCommandResult_Exception{Exception: r}
	return nil
}

// awaitQuery waits for the end of a query, or for the time. The query's own failure is the answer's error, as in Spark.
func awaitQuery(ctx context.Context, h structured.QueryHandle, timeoutMs *int64) (bool, error) {
	if timeoutMs == nil {
		return true, h.Await(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(*timeoutMs)*time.Millisecond)
	defer cancel()
	err := h.Await(limited)
	if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
		return false, nil
	}
	return true, err
}

func (e *execution) managerCommand(ctx context.Context, c *pb.StreamingQueryManagerCommand) error {
	out := &pb.StreamingQueryManagerCommandResult{}
	if err := e.answerManager(ctx, c, out); err != nil {
		return err
	}
	return e.op.emit(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_StreamingQueryManagerCommandResult{StreamingQueryManagerCommandResult: out}})
}

func (e *execution) answerManager(ctx context.Context, c *pb.StreamingQueryManagerCommand, out *pb.StreamingQueryManagerCommandResult) error {
	switch k := c.GetCommand().(type) {
	case *pb.StreamingQueryManagerCommand_Active:
		list, err := e.active(ctx)
		r := &pb.StreamingQueryManagerCommandResult_ActiveResult{}
		for _, h := range list {
			r.ActiveQueries = append(r.ActiveQueries, instance(h))
		}
		out.ResultType = &pb.StreamingQueryManagerCommandResult_Active{Active: r}
		return err
	case *pb.StreamingQueryManagerCommand_GetQuery:
		list, err := e.active(ctx)
		for _, h := range list {
			if h.ID() == k.GetQuery {
				out.ResultType = &pb.StreamingQueryManagerCommandResult_Query{Query: instance(h)}
			}
		}
		return err
	case *pb.StreamingQueryManagerCommand_AwaitAnyTermination:
		ended, err := e.awaitAny(ctx, k.AwaitAnyTermination.TimeoutMs)
		out.ResultType = &pb.StreamingQueryManagerCommandResult_AwaitAnyTermination{
			AwaitAnyTermination: &pb.StreamingQueryManagerCommandResult_AwaitAnyTerminationResult{Terminated: ended}}
		return err
	case *pb.StreamingQueryManagerCommand_ResetTerminated:
		out.ResultType = &pb.StreamingQueryManagerCommandResult_ResetTerminated{ResetTerminated: true}
		return e.resetTerminated(ctx)
	case *pb.StreamingQueryManagerCommand_ListListeners:
		out.ResultType = &pb.StreamingQueryManagerCommandResult_ListListeners{ListListeners: &pb.StreamingQueryManagerCommandResult_ListStreamingQueryListenerResult{}}
		return nil
	case nil:
		return notSet("spark.connect.StreamingQueryManagerCommand", "COMMAND_NOT_SET")
	}
	name := oneofName(c, "command")
	return unsupported(feature(name), "The streaming manager's command %s", name)
}

func instance(h structured.QueryHandle) *pb.StreamingQueryManagerCommandResult_StreamingQueryInstance {
	i := &pb.StreamingQueryManagerCommandResult_StreamingQueryInstance{Id: instanceID(h)}
	if h.Name() != "" {
		i.Name = ptr(h.Name())
	}
	return i
}

func (e *execution) active(ctx context.Context) ([]structured.QueryHandle, error) {
	list, err := e.session.backend.Queries(ctx)
	if err != nil {
		return nil, err
	}
	var out []structured.QueryHandle
	for _, h := range list {
		st, err := h.Status(ctx)
		if err != nil {
			return nil, err
		}
		if st.Active {
			out = append(out, h)
		}
	}
	return out, nil
}

// awaitAny waits until some query has ended since the last resetTerminated.
func (e *execution) awaitAny(ctx context.Context, timeoutMs *int64) (bool, error) {
	if timeoutMs != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*timeoutMs)*time.Millisecond)
		defer cancel()
	}
	list, err := e.session.backend.Queries(ctx)
	if err != nil {
		return false, err
	}
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(list))
	n := 0
	for _, h := range list {
		if e.session.wasReset(h.RunID()) {
			continue
		}
		n++
		go func() {
			ended <- h.Await(watch)
		}()
	}
	if n == 0 && timeoutMs == nil && len(list) == 0 {
		return true, nil
	}
	select {
	case err := <-ended:
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return false, timeoutOr(ctx, timeoutMs)
		}
		return true, err
	case <-ctx.Done():
		return false, timeoutOr(ctx, timeoutMs)
	}
}

// resetTerminated makes awaitAny forget the queries that have ended by now.
func (e *execution) resetTerminated(ctx context.Context) error {
	list, err := e.session.backend.Queries(ctx)
	if err != nil {
		return err
	}
	for _, h := range list {
		st, err := h.Status(ctx)
		if err != nil {
			return err
		}
		if !st.Active {
			e.session.forget(h.RunID())
		}
	}
	return nil
}

// timeoutOr is no error when the wait ended because its own time was up.
func timeoutOr(ctx context.Context, timeoutMs *int64) error {
	if timeoutMs != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return ctx.Err()
}

// queryList answers StreamFlow's own list: every query with its state in one message.
func (e *execution) queryList(ctx context.Context) error {
	list, err := e.session.backend.Queries(ctx)
	if err != nil {
		return err
	}
	out := &sfpb.QueryListResult{}
	for _, h := range list {
		info, err := queryInfo(ctx, h)
		if err != nil {
			return err
		}
		out.Queries = append(out.Queries, info)
	}
	return e.emitExtension(ctx, out)
}

func queryInfo(ctx context.Context, h structured.QueryHandle) (*sfpb.QueryInfo, error) {
	st, err := h.Status(ctx)
	if err != nil {
		return nil, err
	}
	info := &sfpb.QueryInfo{Id: h.ID(), RunId: h.RunID(), Name: h.Name(), Active: st.Active, Message: st.Message}
	recent, err := h.Recent(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(recent); n > 0 {
		text, err := json.Marshal(recent[n-1])
		if err != nil {
			return nil, err
		}
		info.ProgressJson = string(text)
	}
	failure, err := h.Err(ctx)
	if failure != nil {
		info.Error = failure.Error()
	}
	return info, err
}
