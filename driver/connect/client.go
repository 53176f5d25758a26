package connect

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/grpc"
)

// Client is a session on a Spark Connect server, as a structured.Backend. It is safe for concurrent use.
type Client struct {
	conn  *grpc.ClientConn
	stub  pb.SparkConnectServiceClient
	id    string
	user  *pb.UserContext
	agent string
	retry retryPolicy
	after func() error // ends what Local started

	mu       sync.Mutex
	serverID string // as the server said it first; a change means that the server restarted
	closed   bool
}

var (
	_ structured.Backend     = (*Client)(nil)
	_ structured.Interrupter = (*Client)(nil)
)

// Dial opens a session on the server of a connection string: sc://host:port/;token=…;user_id=…;session_id=…;use_ssl=true.
// The connection is made by the first call, so that a server which is not up yet is waited for.
func Dial(ctx context.Context, target string, opts ...grpc.DialOption) (*Client, error) {
	a, err := parseAddress(target)
	if err != nil {
		return nil, err
	}
	dial := append(a.dialOptions(), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(a.maxMessage), grpc.MaxCallSendMsgSize(a.maxMessage)))
	conn, err := grpc.NewClient("dns:///"+a.hostPort, append(dial, opts...)...)
	if err != nil {
		return nil, usererr.New("CONNECT_URL_INVALID", "08001", "The server %s cannot be reached: %v.", a.hostPort, err)
	}
	return newClient(conn, a), nil
}

func newClient(conn *grpc.ClientConn, a address) *Client {
	user := a.userID
	if user == "" {
		user = firstEnv("SPARK_USER", "USER")
	}
	id := a.sessionID
	if id == "" {
		id = uuid.NewString()
	}
	return &Client{conn: conn, stub: pb.NewSparkConnectServiceClient(conn), id: id, user: &pb.UserContext{UserId: user, UserName: user},
		agent: a.userAgent, retry: defaultRetry}
}

func firstEnv(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

// SessionID is the session's id, by which another client of the same user can share it.
func (c *Client) SessionID() string { return c.id }

// Close releases the session and the connection.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	_, err := c.stub.ReleaseSession(ctx, &pb.ReleaseSessionRequest{SessionId: c.id, UserContext: c.user, ClientType: c.clientType()})
	if cerr := c.conn.Close(); err == nil {
		err = cerr
	}
	if c.after != nil {
		if aerr := c.after(); err == nil {
			err = aerr
		}
	}
	return fromStatus(err)
}

func (c *Client) clientType() *string { return ptr(c.agent) }

// observed is the server's id of the session, for requests to carry; nil before the first answer.
func (c *Client) observed() *string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.serverID == "" {
		return nil
	}
	return ptr(c.serverID)
}

type answer interface {
	GetSessionId() string
	GetServerSideSessionId() string
}

// check refuses an answer that belongs to another session.
func (c *Client) check(a answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.GetSessionId() != c.id {
		return usererr.New("INVALID_HANDLE.SESSION_CHANGED", "HY000", "The server answered for session %s instead of %s.", a.GetSessionId(), c.id)
	}
	id := a.GetServerSideSessionId()
	if id == "" {
		return nil
	}
	if c.serverID != "" && c.serverID != id {
		return usererr.New("INVALID_HANDLE.SESSION_CHANGED", "HY000", "The server has lost the session %s.", c.id).
			WithFix("Make a new session: temporary views and settings of the old one are gone.")
	}
	c.serverID = id
	return nil
}

// Analyze asks the server for the plan's schema and whether it grows. A command has no schema to ask for.
func (c *Client) Analyze(ctx context.Context, plan logical.Plan) (*structured.Analysis, error) {
	if logical.IsCommand(plan) {
		return &structured.Analysis{Command: true}, nil
	}
	r, err := planToProto(plan)
	if err != nil {
		return nil, err
	}
	p := &pb.Plan{OpType: &pb.Plan_Root{Root: r}}
	resp, err := c.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Schema_{Schema: &pb.AnalyzePlanRequest_Schema{Plan: p}}})
	if err != nil {
		return nil, err
	}
	schema, err := schemaFromProto(resp.GetSchema().GetSchema())
	if err != nil {
		return nil, err
	}
	resp, err = c.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_IsStreaming_{IsStreaming: &pb.AnalyzePlanRequest_IsStreaming{Plan: p}}})
	if err != nil {
		return nil, err
	}
	return &structured.Analysis{Schema: schema, Streaming: resp.GetIsStreaming().GetIsStreaming()}, nil
}

// Persist asks the server to keep the rows of a plan, or to forget them.
func (c *Client) Persist(ctx context.Context, plan logical.Plan, keep bool) error {
	r, err := planToProto(plan)
	if err != nil {
		return err
	}
	ask := &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Unpersist_{Unpersist: &pb.AnalyzePlanRequest_Unpersist{Relation: r}}}
	if keep {
		ask.Analyze = &pb.AnalyzePlanRequest_Persist_{Persist: &pb.AnalyzePlanRequest_Persist{Relation: r}}
	}
	_, err = c.analyze(ctx, ask)
	return err
}

// Explain asks the server for the stages of planning.
func (c *Client) Explain(ctx context.Context, plan logical.Plan, mode string) (string, error) {
	r, err := planToProto(plan)
	if err != nil {
		return "", err
	}
	e := &pb.AnalyzePlanRequest_Explain{Plan: &pb.Plan{OpType: &pb.Plan_Root{Root: r}}}
	for m, name := range explainModes {
		if name == mode && m != pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_UNSPECIFIED {
			e.ExplainMode = m
		}
	}
	resp, err := c.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Explain_{Explain: e}})
	if err != nil {
		return "", err
	}
	return resp.GetExplain().GetExplainString(), nil
}

// Version asks which Spark the server says it is.
func (c *Client) Version(ctx context.Context) (string, error) {
	resp, err := c.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_SparkVersion_{SparkVersion: &pb.AnalyzePlanRequest_SparkVersion{}}})
	if err != nil {
		return "", err
	}
	return resp.GetSparkVersion().GetVersion(), nil
}

// meet makes sure that the client knows the server's id of the session.
func (c *Client) meet(ctx context.Context) error {
	if c.observed() != nil {
		return nil
	}
	resp, err := c.stub.AnalyzePlan(ctx, &pb.AnalyzePlanRequest{SessionId: c.id, UserContext: c.user, ClientType: c.clientType(),
		Analyze: &pb.AnalyzePlanRequest_SparkVersion_{SparkVersion: &pb.AnalyzePlanRequest_SparkVersion{}}})
	if err != nil {
		return err
	}
	return c.check(resp)
}

func (c *Client) analyze(ctx context.Context, r *pb.AnalyzePlanRequest) (*pb.AnalyzePlanResponse, error) {
	r.SessionId, r.UserContext, r.ClientType, r.ClientObservedServerSideSessionId = c.id, c.user, c.clientType(), c.observed()
	return call(ctx, c, r, c.stub.AnalyzePlan)
}

// Interrupt cancels operations of the session.
func (c *Client) Interrupt(ctx context.Context, what structured.Interrupt) ([]string, error) {
	r := &pb.InterruptRequest{SessionId: c.id, UserContext: c.user, ClientType: c.clientType(), ClientObservedServerSideSessionId: c.observed(),
		InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_ALL}
	switch {
	case what.Tag != "":
		r.InterruptType, r.Interrupt = pb.InterruptRequest_INTERRUPT_TYPE_TAG, &pb.InterruptRequest_OperationTag{OperationTag: what.Tag}
	case what.Operation != "":
		r.InterruptType, r.Interrupt = pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID, &pb.InterruptRequest_OperationId{OperationId: what.Operation}
	}
	resp, err := call(ctx, c, r, c.stub.Interrupt)
	return resp.GetInterruptedIds(), err
}

// call makes a unary call, again where that may help, and checks whom the answer is for.
func call[Req any, Resp answer](ctx context.Context, c *Client, r Req, f func(context.Context, Req, ...grpc.CallOption) (Resp, error)) (Resp, error) {
	var resp Resp
	err := c.retry.do(ctx, func() error {
		var err error
		resp, err = f(ctx, r)
		return err
	})
	if err != nil {
		var zero Resp
		return zero, c.explained(ctx, err)
	}
	return resp, c.check(resp)
}

// explained is a server's error as the user's, with the parts that did not fit the status.
func (c *Client) explained(ctx context.Context, err error) error {
	u, ok := usererr.As(fromStatus(err))
	if !ok {
		return fromStatus(err)
	}
	id := errorID(err)
	if id == "" || !strings.HasSuffix(u.Message, "...") && u.Params != nil {
		return u
	}
	resp, ferr := c.stub.FetchErrorDetails(ctx, &pb.FetchErrorDetailsRequest{SessionId: c.id, UserContext: c.user, ErrorId: id, ClientType: c.clientType()})
	if ferr != nil || resp.RootErrorIdx == nil || int(resp.GetRootErrorIdx()) >= len(resp.GetErrors()) {
		return u
	}
	root := resp.GetErrors()[resp.GetRootErrorIdx()]
	u.Message = stripText(root.GetMessage(), u.Code, u.SQLState)
	u.Params = root.GetSparkThrowable().GetMessageParameters()
	return u
}
