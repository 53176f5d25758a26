package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// local is a session whose server is in the process, over a fake backend.
func local(t *testing.T) (*structured.Session, *fakeBackend) {
	t.Helper()
	fake := newFake()
	c, err := Local(Options{Sessions: func(string, string) (structured.Backend, error) { return fake, nil }})
	if err != nil {
		t.Fatal(err)
	}
	s := structured.NewSession(c)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if len(fake.plans) > 0 && !fake.closed {
			t.Error("closing the client left the backend open")
		}
	})
	return s, fake
}

func TestDataFramesOverTheWire(t *testing.T) {
	s, fake := local(t)
	ctx := context.Background()
	df := s.Range(0, 5000, 1)
	out := df.Filter(df.Col("id").Mod(2).Eq(0).And(structured.Col("id").Lt(10))).
		WithColumn("twice", structured.Col("id").Times(2)).
		Select(structured.Col("id"), structured.Col("twice"), structured.When(structured.Col("id").Eq(0), "zero").Otherwise("more").As("word"))
	rows, err := out.Collect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows); got != "[Row(id=0, twice=0, word=zero) Row(id=2, twice=4, word=more) Row(id=4, twice=8, word=more) Row(id=6, twice=12, word=more) Row(id=8, twice=16, word=more)]" {
		t.Error(got)
	}
	all, err := df.Collect(ctx)
	if err != nil || len(all) != 5000 || all[4999].At(0) != int64(4999) {
		t.Errorf("%v: %d rows", err, len(all))
	}
	if err := df.CreateOrReplaceTempView(ctx, "nums"); err != nil {
		t.Fatal(err)
	}
	q, err := s.SQL(ctx, "select id + ? as next from nums", 1)
	if err != nil {
		t.Fatal(err)
	}
	if row, ok, err := q.First(ctx); err != nil || !ok || row.Get("next") != int64(1) {
		t.Errorf("%v %v %v", row, ok, err)
	}
	var printed bytes.Buffer
	s.PrintTo(&printed)
	if err := s.Table("nums").Show(ctx, 1, 20); err != nil {
		t.Fatal(err)
	}
	if err := s.Table("nums").PrintSchema(ctx); err != nil {
		t.Fatal(err)
	}
	if want := "+---+\n| id|\n+---+\n|  0|\n+---+\nonly showing top 1 row\nroot\n |-- id: long (nullable = false)\n\n"; printed.String() != want {
		t.Errorf("%q", printed.String())
	}
	done, err := s.SQL(ctx, "set spark.sql.ansi.enabled = false")
	if err != nil {
		t.Fatal(err)
	}
	before := len(fake.plans)
	if rows, err := done.Collect(ctx); err != nil || rows[0].Get("value") != "false" {
		t.Errorf("%v %v", rows, err)
	}
	logical.Walk(fake.plans[before], func(p logical.Plan) bool {
		if _, again := p.(*logical.SQLText); again {
			t.Error("the command ran twice")
		}
		return true
	})
}

func TestValuesOverTheWire(t *testing.T) {
	s, _ := local(t)
	at := time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)
	df := s.CreateDataFrame("b BOOLEAN, i TINYINT, f DOUBLE, c DECIMAL(10,2), s STRING, x BINARY, d DATE, ts TIMESTAMP, a ARRAY<INT>, st STRUCT<p: INT, q: STRING>",
		[]any{true, 7, 2.5, structured.NewDecimal(125, 2), "ü", []byte{1}, at, at, []any{1, nil}, []any{3, "y"}},
		[]any{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil})
	rows, err := df.Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := "[Row(b=true, i=7, f=2.5, c=1.25, s=ü, x=[1], d=2024-02-29 00:00:00 +0000 UTC, ts=2024-02-29 01:02:03.000004 +0000 UTC, a=[1 <nil>], st=Row(p=3, q=y)) " +
		"Row(b=<nil>, i=<nil>, f=<nil>, c=<nil>, s=<nil>, x=<nil>, d=<nil>, ts=<nil>, a=<nil>, st=<nil>)]"
	if got := fmt.Sprint(rows); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMistakesAreReturnedByTheAction(t *testing.T) {
	s, fake := local(t)
	ctx := context.Background()
	for name, df := range map[string]*structured.DataFrame{
		"literal":   s.Range(0, 1, 1).Filter(structured.Col("id").Eq(struct{}{})),
		"type":      s.Range(0, 1, 1).Select(structured.Col("id").Cast("nothing")),
		"name":      s.Range(0, 1, 1).Select(structured.Col("a..b")),
		"join":      s.Range(0, 1, 1).JoinUsing(s.Range(0, 1, 1), []string{"id"}, "sideways"),
		"limit":     s.Range(0, 1, 1).Limit(-1),
		"step":      s.Range(0, 1, 0).Distinct(),
		"delay":     s.Range(0, 1, 1).WithWatermark("id", "soon"),
		"row":       s.CreateDataFrame("a INT", []any{1, 2}),
		"ddl":       s.CreateDataFrame("a NOTHING"),
		"otherwise": s.Range(0, 1, 1).Select(structured.Col("id").Otherwise(1)),
	} {
		if _, err := df.Filter(structured.Col("id").Gt(0)).Collect(ctx); err == nil {
			t.Errorf("%s: no error", name)
		} else if _, ok := usererr.As(err); !ok {
			t.Errorf("%s: %v is no user's mistake", name, err)
		}
	}
	if len(fake.plans) != 0 {
		t.Errorf("%d plans were sent", len(fake.plans))
	}
}

func TestStreamingQueryOverTheWire(t *testing.T) {
	s, fake := local(t)
	ctx := context.Background()
	q, err := s.ReadStream().Table("events").Over(structured.RunOptions{Live: true}).WriteStream().Format("console").OutputMode("update").
		QueryName("watch").Trigger(structured.ProcessingTime("1 second")).From("beginning").Start(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	h := fake.queries[0].(*fakeQuery)
	if h.spec.OutputMode != "update" || h.spec.Trigger != "1 second" || h.spec.Start != "beginning" || q.ID() != h.id || q.Name() != "watch" {
		t.Errorf("%+v", h.spec)
	}
	if _, ok, err := q.LastProgress(ctx); ok || err != nil {
		t.Errorf("progress before the first batch: %v", err)
	}
	h.batch(0, 10)
	h.batch(1, 20)
	p, ok, err := q.LastProgress(ctx)
	if err != nil || !ok || p.BatchID != 1 || p.InputRows != 20 || p.Sources[0].End != `{"t":{"0":5}}` || p.Sink.OutputRows != -1 {
		t.Errorf("%+v %v", p, err)
	}
	if active, err := q.IsActive(ctx); err != nil || !active {
		t.Errorf("%v %v", active, err)
	}
	if ended, err := q.AwaitTerminationFor(ctx, 20*time.Millisecond); ended || err != nil {
		t.Errorf("%v %v", ended, err)
	}
	h.end(usererr.New("STREAM_FAILED", "XXKST", "Query watch failed: %v.", errFake))
	if err := q.AwaitTermination(ctx); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("%v", err)
	}
	failure, err := q.Exception(ctx)
	if u, ok := usererr.As(failure); err != nil || !ok || u.Code != "STREAM_FAILED" {
		t.Errorf("%v %v", failure, err)
	}
	list, err := s.Streams(ctx)
	if err != nil || len(list) != 1 || list[0].ID() != q.ID() {
		t.Errorf("%v %v", list, err)
	}
	infos, err := s.Backend().(*Client).QueryList(ctx)
	if err != nil || infos[0].GetActive() || !strings.Contains(infos[0].GetError(), "disk") || !strings.Contains(infos[0].GetProgressJson(), `"inputRowsPerSecond":0.0`) {
		t.Errorf("%v %v", infos, err)
	}
}

func TestListenerBus(t *testing.T) {
	h := serve(t)
	ctx := context.Background()
	bus := func(add bool) receiver {
		c := &pb.StreamingQueryListenerBusCommand{Command: &pb.StreamingQueryListenerBusCommand_AddListenerBusListener{AddListenerBusListener: true}}
		if !add {
			c.Command = &pb.StreamingQueryListenerBusCommand_RemoveListenerBusListener{RemoveListenerBusListener: true}
		}
		r := h.request(nil, true)
		r.Plan = &pb.Plan{OpType: &pb.Plan_Command{Command: &pb.Command{CommandType: &pb.Command_StreamingQueryListenerBusCommand{StreamingQueryListenerBusCommand: c}}}}
		s, err := h.stub.ExecutePlan(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	events := bus(true)
	if r, err := events.Recv(); err != nil || !r.GetStreamingQueryListenerEventsResult().GetListenerBusListenerAdded() {
		t.Fatalf("%v %v", r, err)
	}
	start := h.request(nil, true)
	w, err := streamToProto(&logical.CreateStream{Name: "q", Query: table("t"), Format: "console"})
	if err != nil {
		t.Fatal(err)
	}
	start.Plan = &pb.Plan{OpType: &pb.Plan_Command{Command: &pb.Command{CommandType: &pb.Command_WriteStreamOperationStart{WriteStreamOperationStart: w}}}}
	st, err := h.stub.ExecutePlan(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := drainAll(t, st)
	if err != nil || !strings.Contains(rs[0].GetWriteStreamOperationStartResult().GetQueryStartedEventJson(), `"jobTags":[]`) {
		t.Fatalf("%v %v", rs, err)
	}
	q := h.fake.queries[0].(*fakeQuery)
	q.batch(0, 3)
	next := func() *pb.StreamingQueryListenerEvent {
		t.Helper()
		r, err := events.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return r.GetStreamingQueryListenerEventsResult().GetEvents()[0]
	}
	if e := next(); e.GetEventType() != pb.StreamingQueryEventType_QUERY_PROGRESS_EVENT || !strings.Contains(e.GetEventJson(), `"numInputRows":3`) {
		t.Errorf("%v", e)
	}
	q.end(nil)
	if e := next(); e.GetEventType() != pb.StreamingQueryEventType_QUERY_TERMINATED_EVENT || !strings.Contains(e.GetEventJson(), `"exception":null`) {
		t.Errorf("%v", e)
	}
	if _, err := drainAll(t, bus(false)); err != nil {
		t.Fatal(err)
	}
	if rest, err := drainAll(t, events); err != nil || kinds(rest) != "result_complete" {
		t.Errorf("%v %s", err, kinds(rest))
	}
}

// breaking cuts every stream after a few messages, as a bad network does.
type breaking struct {
	grpc.ServerStream
	left int
}

func (b *breaking) SendMsg(m any) error {
	if b.left == 0 {
		return status.Error(codes.Unavailable, "cut")
	}
	b.left--
	return b.ServerStream.SendMsg(m)
}

// A client must get every row once although each of its streams breaks after two messages.
func TestStreamsThatBreak(t *testing.T) {
	fake := newFake()
	server := NewServer(Options{Sessions: func(string, string) (structured.Backend, error) { return fake, nil }})
	defer server.Close()
	var mu sync.Mutex
	streams := 0
	g := server.GRPC(grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		mu.Lock()
		streams++
		mu.Unlock()
		return handler(srv, &breaking{ss, 2})
	}))
	defer g.Stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go g.Serve(l)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(conn, address{userID: "u"})
	c.retry.first = time.Millisecond
	defer c.Close()
	rows, err := structured.NewSession(c).Range(0, 9500, 1).Collect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if r.At(0) != int64(i) {
			t.Fatalf("row %d is %v", i, r)
		}
	}
	if len(rows) != 9500 || streams < 5 {
		t.Errorf("%d rows over %d streams", len(rows), streams)
	}
	if len(fake.plans) != 1 {
		t.Errorf("the query ran %d times", len(fake.plans))
	}
}

func TestClosingRowsEndsTheOperation(t *testing.T) {
	s, fake := local(t)
	fake.block = make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Range(0, 1, 1).Rows(ctx, structured.ExecOptions{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if ids, err := s.InterruptAll(context.Background()); err != nil || len(ids) != 0 {
		t.Errorf("%v still run (%v)", ids, err)
	}
}

func TestCountersAndProgress(t *testing.T) {
	fake := newFake()
	c, err := Local(Options{ProgressInterval: time.Nanosecond, Sessions: func(string, string) (structured.Backend, error) { return fake, nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var seen []structured.Progress
	rows, err := c.Execute(context.Background(), &logical.Range{End: 10, Step: 1, Attr: rangeAttr()}, structured.ExecOptions{Progress: func(p structured.Progress) { seen = append(seen, p) }})
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := rows.Next(context.Background()); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if rows.Counters()["rows.read"] != 10 || len(seen) != 1 || seen[0].Stages[0].Tasks != 2 {
		t.Errorf("%v %v", rows.Counters(), seen)
	}
	rows.Close()
}

func TestAddresses(t *testing.T) {
	a, err := parseAddress("sc://host:99/;token=a%3Db;user_id=me;use_ssl=true;x-team=red;session_id=00112233-4455-6677-8899-aabbccddeeff")
	if err != nil || a.hostPort != "host:99" || a.token != "a=b" || a.userID != "me" || !a.tls || a.headers["x-team"] != "red" {
		t.Errorf("%+v %v", a, err)
	}
	for in, want := range map[string]string{"sc://host": "host:15002", "sc://[::1]": "[::1]:15002", "sc://[::1]:5/": "[::1]:5", "sc://host/": "host:15002"} {
		if a, err := parseAddress(in); err != nil || a.hostPort != want {
			t.Errorf("%s: %s %v", in, a.hostPort, err)
		}
	}
	for _, bad := range []string{"", "host:1", "sc://", "sc:///;a=b", "sc://h/;x", "sc://h/;session_id=1", "sc://h/;use_ssl=perhaps", "sc://h/;grpc_max_message_size=0"} {
		if _, err := parseAddress(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestRetryOnlyWhatMayPass(t *testing.T) {
	p := retryPolicy{tries: 3, first: time.Microsecond, factor: 2, longest: time.Millisecond, jitter: time.Microsecond}
	for _, c := range []struct {
		err   error
		tries int
	}{
		{status.Error(codes.Unavailable, "x"), 3},
		{status.Error(codes.Internal, "[INVALID_CURSOR.DISCONNECTED] x"), 3},
		{status.Error(codes.Internal, "x"), 1},
		{errors.New("x"), 1},
		{nil, 1},
	} {
		n := 0
		err := p.do(context.Background(), func() error { n++; return c.err })
		if n != c.tries || err != c.err {
			t.Errorf("%v: %d tries, %v", c.err, n, err)
		}
	}
}

// The server never answers Unavailable: a client would go on for ten minutes.
func TestFailuresAreFinal(t *testing.T) {
	for _, err := range []error{errFake, context.Canceled, usererr.New("A", "42000", "b"), status.Error(codes.Unavailable, "from a store")} {
		if got := status.Code(toStatus(err, nil)); got != codes.Internal {
			t.Errorf("%v is answered as %s", err, got)
		}
	}
	long := usererr.New("LONG", "42000", "%s", strings.Repeat("ü", 3000)).With("p", strings.Repeat("x", 2000))
	st, _ := status.FromError(toStatus(long, nil))
	if n := len(st.Message()); n > maxStatusText {
		t.Errorf("a status text of %d bytes", n)
	}
}

func TestLongErrorsAreFetched(t *testing.T) {
	h := serve(t)
	c := h.client()
	name := strings.Repeat("x", 3000)
	_, err := c.Execute(context.Background(), &logical.UnresolvedTable{Parts: []string{name}}, structured.ExecOptions{})
	u, ok := usererr.As(err)
	if !ok || !strings.Contains(u.Message, name) || u.Params["relationName"] != "`"+name+"`" {
		t.Errorf("%.300v", err)
	}
}

func BenchmarkRowsOverTheWire(b *testing.B) {
	fake := newFake()
	c, err := Local(Options{Sessions: func(string, string) (structured.Backend, error) { return fake, nil }})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	const n = 100_000
	builder := column.NewBatchBuilder(column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}))
	for i := range int64(n) {
		builder.Cols[0].AppendI64(i)
	}
	fake.views["big"] = newLocal(column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}), []*column.Batch{builder.Finish()})
	b.SetBytes(n * 8)
	for b.Loop() {
		rows, err := c.Execute(context.Background(), table("big"), structured.ExecOptions{})
		if err != nil {
			b.Fatal(err)
		}
		got := 0
		for {
			batch, err := rows.Next(context.Background())
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			got += batch.N
		}
		if rows.Close(); got != n {
			b.Fatalf("%d rows", got)
		}
	}
}

func BenchmarkDecodePlan(b *testing.B) {
	p := table("t")
	for range 20 {
		p = &logical.PlanID{ID: 3, Child: &logical.Filter{Cond: fn(">", attr("a"), fn("+", attr("b"), named(attr("c"), "d"))), Child: p}}
	}
	r, err := planToProto(p)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (&decoder{}).plan(r); err != nil {
			b.Fatal(err)
		}
	}
}
