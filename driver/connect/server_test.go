package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// harness is a server on a loopback port over fake backends.
type harness struct {
	t      *testing.T
	server *Server
	addr   string
	fake   *fakeBackend
	stub   pb.SparkConnectServiceClient
	id     string
}

func serve(t *testing.T) *harness {
	t.Helper()
	h := &harness{t: t, fake: newFake(), id: uuid.NewString()}
	h.server = NewServer(Options{Sessions: func(string, string) (structured.Backend, error) { return h.fake, nil }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	g := h.server.GRPC()
	go g.Serve(l)
	conn, err := grpc.NewClient(h.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	h.stub = pb.NewSparkConnectServiceClient(conn)
	t.Cleanup(func() {
		conn.Close()
		if err := h.server.Close(); err != nil {
			t.Error(err)
		}
		g.Stop()
	})
	return h
}

func (h *harness) client() *Client {
	h.t.Helper()
	c, err := Dial(context.Background(), "sc://"+h.addr+"/;user_id=u")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

func (h *harness) user() *pb.UserContext { return &pb.UserContext{UserId: "u"} }

func (h *harness) request(r *pb.Relation, reattachable bool) *pb.ExecutePlanRequest {
	req := &pb.ExecutePlanRequest{SessionId: h.id, UserContext: h.user(), OperationId: ptr(uuid.NewString()), Plan: root(r)}
	if reattachable {
		req.RequestOptions = []*pb.ExecutePlanRequest_RequestOption{{RequestOption: &pb.ExecutePlanRequest_RequestOption_ReattachOptions{
			ReattachOptions: &pb.ReattachOptions{Reattachable: true}}}}
	}
	return req
}

func root(r *pb.Relation) *pb.Plan { return &pb.Plan{OpType: &pb.Plan_Root{Root: r}} }

func rangeRelation(n int64) *pb.Relation {
	return &pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{End: n, Step: 1}}}
}

type receiver interface {
	Recv() (*pb.ExecutePlanResponse, error)
}

func drainAll(t *testing.T, s receiver) ([]*pb.ExecutePlanResponse, error) {
	t.Helper()
	var out []*pb.ExecutePlanResponse
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
}

func kinds(rs []*pb.ExecutePlanResponse) string {
	var out []string
	for _, r := range rs {
		switch {
		case r.GetSchema() != nil:
			out = append(out, "schema")
		case r.GetMetrics() != nil:
			out = append(out, "metrics")
		default:
			out = append(out, oneofName(r, "response_type"))
		}
	}
	return strings.Join(out, " ")
}

func TestResponseOrder(t *testing.T) {
	h := serve(t)
	for _, c := range []struct {
		rows         int64
		reattachable bool
		want         string
	}{
		{2500, true, "schema arrow_batch arrow_batch arrow_batch metrics result_complete"},
		{0, true, "schema arrow_batch metrics result_complete"},
		{5, false, "schema arrow_batch metrics"},
	} {
		s, err := h.stub.ExecutePlan(context.Background(), h.request(rangeRelation(c.rows), c.reattachable))
		if err != nil {
			t.Fatal(err)
		}
		rs, err := drainAll(t, s)
		if err != nil || kinds(rs) != c.want {
			t.Errorf("%d rows: %v, %s; want %s", c.rows, err, kinds(rs), c.want)
		}
		checkRows(t, rs, c.rows)
	}
}

func checkRows(t *testing.T, rs []*pb.ExecutePlanResponse, want int64) {
	t.Helper()
	var n int64
	ids := map[string]bool{}
	for _, r := range rs {
		if ids[r.GetResponseId()] || r.GetResponseId() == "" {
			t.Errorf("response id %q is empty or used twice", r.GetResponseId())
		}
		ids[r.GetResponseId()] = true
		a := r.GetArrowBatch()
		if a == nil {
			continue
		}
		_, batches, err := readStream(a.GetData())
		if err != nil {
			t.Fatal(err)
		}
		if a.GetStartOffset() != n || a.GetRowCount() != int64(total(batches)) {
			t.Errorf("batch at %d says offset %d, rows %d of %d", n, a.GetStartOffset(), a.GetRowCount(), total(batches))
		}
		for _, b := range batches {
			for i := range b.N {
				if b.Cols[0].I64[i] != n {
					t.Fatalf("row %d is %d", n, b.Cols[0].I64[i])
				}
				n++
			}
		}
	}
	if n != want {
		t.Errorf("%d rows, want %d", n, want)
	}
}

func TestChunkedBatches(t *testing.T) {
	h := serve(t)
	r := h.request(rangeRelation(900), true)
	r.RequestOptions = append(r.RequestOptions, &pb.ExecutePlanRequest_RequestOption{RequestOption: &pb.ExecutePlanRequest_RequestOption_ResultChunkingOptions{
		ResultChunkingOptions: &pb.ResultChunkingOptions{AllowArrowBatchChunking: true, PreferredArrowChunkSize: ptr(int64(1))}}})
	s, err := h.stub.ExecutePlan(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := drainAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	var chunks, declared int64
	for _, r := range rs {
		a := r.GetArrowBatch()
		if a == nil {
			continue
		}
		if a.GetChunkIndex() != chunks || a.GetRowCount() != 900 || len(a.GetData()) > minChunk {
			t.Errorf("chunk %d: index %d, rows %d, %d bytes", chunks, a.GetChunkIndex(), a.GetRowCount(), len(a.GetData()))
		}
		chunks, declared = chunks+1, a.GetNumChunksInBatch()
		data = append(data, a.GetData()...)
	}
	_, batches, err := readStream(data)
	if err != nil || total(batches) != 900 || chunks < 2 || declared != chunks {
		t.Errorf("%v: %d rows in %d chunks, declared %d", err, total(batches), chunks, declared)
	}
}

func TestReattach(t *testing.T) {
	h := serve(t)
	req := h.request(rangeRelation(3500), true)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := h.stub.ExecutePlan(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	var first []*pb.ExecutePlanResponse
	for range 3 {
		r, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		first = append(first, r)
	}
	cancel()
	again := &pb.ReattachExecuteRequest{SessionId: h.id, UserContext: h.user(), OperationId: req.GetOperationId(), LastResponseId: ptr(first[2].GetResponseId())}
	s2, err := h.stub.ReattachExecute(context.Background(), again)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := drainAll(t, s2)
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, append(first, rest...), 3500)

	rel := &pb.ReleaseExecuteRequest{SessionId: h.id, UserContext: h.user(), OperationId: req.GetOperationId(),
		Release: &pb.ReleaseExecuteRequest_ReleaseUntil_{ReleaseUntil: &pb.ReleaseExecuteRequest_ReleaseUntil{ResponseId: first[2].GetResponseId()}}}
	if _, err := h.stub.ReleaseExecute(context.Background(), rel); err != nil {
		t.Fatal(err)
	}
	h.refused("INVALID_CURSOR.POSITION_NOT_AVAILABLE", func() error {
		again.LastResponseId = ptr(first[0].GetResponseId())
		s, err := h.stub.ReattachExecute(context.Background(), again)
		if err != nil {
			return err
		}
		_, err = drainAll(t, s)
		return err
	})
	rel.Release = &pb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &pb.ReleaseExecuteRequest_ReleaseAll{}}
	for range 2 { // the second is of an unknown id, and no error
		if _, err := h.stub.ReleaseExecute(context.Background(), rel); err != nil {
			t.Fatal(err)
		}
	}
	h.refused("INVALID_HANDLE.OPERATION_ABANDONED", func() error {
		s, err := h.stub.ExecutePlan(context.Background(), req)
		if err != nil {
			return err
		}
		_, err = drainAll(t, s)
		return err
	})
}

// refused checks that f fails with the condition.
func (h *harness) refused(code string, f func() error) *usererr.Error {
	h.t.Helper()
	err := f()
	u, ok := usererr.As(fromStatus(err))
	if !ok || u.Code != code {
		h.t.Errorf("%v, want %s", err, code)
	}
	return u
}

func TestHandles(t *testing.T) {
	h := serve(t)
	ctx := context.Background()
	version := func(r *pb.AnalyzePlanRequest) error {
		r.UserContext = h.user()
		r.Analyze = &pb.AnalyzePlanRequest_SparkVersion_{SparkVersion: &pb.AnalyzePlanRequest_SparkVersion{}}
		_, err := h.stub.AnalyzePlan(ctx, r)
		return err
	}
	if err := version(&pb.AnalyzePlanRequest{SessionId: h.id}); err != nil {
		t.Fatal(err)
	}
	h.refused("INVALID_HANDLE.FORMAT", func() error { return version(&pb.AnalyzePlanRequest{SessionId: "me"}) })
	h.refused("INVALID_HANDLE.SESSION_CHANGED", func() error {
		return version(&pb.AnalyzePlanRequest{SessionId: h.id, ClientObservedServerSideSessionId: ptr("other")})
	})
	reattach := func(session, op string) error {
		s, err := h.stub.ReattachExecute(ctx, &pb.ReattachExecuteRequest{SessionId: session, UserContext: h.user(), OperationId: op})
		if err != nil {
			return err
		}
		_, err = drainAll(t, s)
		return err
	}
	h.refused("INVALID_HANDLE.OPERATION_NOT_FOUND", func() error { return reattach(h.id, uuid.NewString()) })
	h.refused("INVALID_HANDLE.SESSION_NOT_FOUND", func() error { return reattach(uuid.NewString(), uuid.NewString()) })
	if _, err := h.stub.ReleaseSession(ctx, &pb.ReleaseSessionRequest{SessionId: h.id, UserContext: h.user()}); err != nil {
		t.Fatal(err)
	}
	if !h.fake.closed {
		t.Error("the backend of a released session is open")
	}
	h.refused("INVALID_HANDLE.SESSION_CLOSED", func() error { return version(&pb.AnalyzePlanRequest{SessionId: h.id}) })
}

func TestInterrupt(t *testing.T) {
	h := serve(t)
	h.fake.block = make(chan struct{})
	req := h.request(rangeRelation(1), true)
	req.Tags = []string{"slow"}
	s, err := h.stub.ExecutePlan(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := drainAll(t, s); ended <- err }()
	var ids []string
	for deadline := time.Now().Add(5 * time.Second); len(ids) == 0 && time.Now().Before(deadline); {
		resp, err := h.stub.Interrupt(context.Background(), &pb.InterruptRequest{SessionId: h.id, UserContext: h.user(),
			InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_TAG, Interrupt: &pb.InterruptRequest_OperationTag{OperationTag: "slow"}})
		if err != nil {
			t.Fatal(err)
		}
		ids = resp.GetInterruptedIds()
	}
	if len(ids) != 1 || ids[0] != req.GetOperationId() {
		t.Errorf("interrupted %v, want %s", ids, req.GetOperationId())
	}
	h.refused("OPERATION_CANCELED", func() error { return <-ended })
}

func TestErrorsCarryTheirCondition(t *testing.T) {
	h := serve(t)
	c := h.client()
	_, err := c.Execute(context.Background(), &logical.UnresolvedTable{Parts: []string{"nothing"}}, structured.ExecOptions{})
	u, ok := usererr.As(err)
	if !ok || u.Code != "TABLE_OR_VIEW_NOT_FOUND" || u.SQLState != "42P01" || u.Params["relationName"] != "`nothing`" {
		t.Errorf("%#v", err)
	}
	_, err = c.Execute(context.Background(), &logical.SQLText{Text: "select\n  1 +* 2"}, structured.ExecOptions{})
	u, ok = usererr.As(err)
	if !ok || u.Code != "PARSE_SYNTAX_ERROR" || u.Line != 2 {
		t.Errorf("%v", err)
	}
	if !strings.Contains(u.Detail(), "1 +* 2\n") {
		t.Errorf("the text is lost:\n%s", u.Detail())
	}
}

func TestUnknownRelationIsRefusedByName(t *testing.T) {
	h := serve(t)
	for _, c := range []struct {
		r    *pb.Relation
		code string
	}{
		{&pb.Relation{}, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET"},
		{&pb.Relation{RelType: &pb.Relation_MlRelation{MlRelation: &pb.MlRelation{}}}, "UNSUPPORTED_FEATURE.ML_RELATION"},
		{&pb.Relation{RelType: &pb.Relation_Filter{Filter: &pb.Filter{}}}, "CONNECT_INVALID_PLAN.FIELD_NOT_SET"},
	} {
		h.refused(c.code, func() error {
			s, err := h.stub.ExecutePlan(context.Background(), h.request(c.r, true))
			if err != nil {
				return err
			}
			_, err = drainAll(t, s)
			return err
		})
	}
}

func TestConfigOperations(t *testing.T) {
	h := serve(t)
	ctx := context.Background()
	do := func(op *pb.ConfigRequest_Operation) (*pb.ConfigResponse, error) {
		return h.stub.Config(ctx, &pb.ConfigRequest{SessionId: h.id, UserContext: h.user(), Operation: op})
	}
	// The keys that PySpark asks for in one call before it sends a DataFrame: one that fails makes all fail.
	keys := []string{"spark.sql.timestampType", "spark.sql.session.timeZone", "spark.sql.session.localRelationCacheThreshold",
		"spark.sql.session.localRelationSizeLimit", "spark.sql.session.localRelationChunkSizeRows", "spark.sql.session.localRelationChunkSizeBytes",
		"spark.sql.session.localRelationBatchOfChunksSizeBytes", "spark.sql.execution.pandas.convertToArrowArraySafely",
		"spark.sql.execution.pandas.inferPandasDictAsMap", "spark.sql.pyspark.inferNestedDictAsStruct.enabled",
		"spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled",
		"spark.sql.execution.arrow.useLargeVarTypes"}
	resp, err := do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Get{Get: &pb.ConfigRequest_Get{Keys: keys}}})
	if err != nil || len(resp.GetPairs()) != len(keys) || resp.GetPairs()[1].GetValue() != "UTC" {
		t.Fatalf("%v %v", err, resp)
	}
	h.refused("SQL_CONF_NOT_FOUND", func() error {
		_, err := do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Get{Get: &pb.ConfigRequest_Get{Keys: []string{"spark.nothing"}}}})
		return err
	})
	set := &pb.ConfigRequest_Set{Pairs: []*pb.KeyValue{{Key: "spark.sql.session.timeZone", Value: ptr("Europe/Berlin")}, {Key: "spark.sql.warehouse.dir", Value: ptr("x")}}}
	h.refused("CANNOT_MODIFY_STATIC_CONFIG", func() error {
		_, err := do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{Set: set}})
		return err
	})
	set.Silent = ptr(true)
	resp, err = do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{Set: set}})
	if err != nil || len(resp.GetWarnings()) != 1 {
		t.Errorf("%v %v", err, resp)
	}
	resp, err = do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_GetWithDefault{GetWithDefault: &pb.ConfigRequest_GetWithDefault{
		Pairs: []*pb.KeyValue{{Key: "spark.sql.session.timeZone", Value: ptr("x")}, {Key: "spark.nothing", Value: ptr("y")}, {Key: "spark.none"}}}}})
	if err != nil || resp.GetPairs()[0].GetValue() != "Europe/Berlin" || resp.GetPairs()[1].GetValue() != "y" || resp.GetPairs()[2].Value != nil {
		t.Errorf("%v %v", err, resp)
	}
	resp, err = do(&pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_IsModifiable{IsModifiable: &pb.ConfigRequest_IsModifiable{
		Keys: []string{"spark.sql.ansi.enabled", "spark.sql.warehouse.dir", "spark.nothing"}}}})
	if err != nil || fmt.Sprint(resp.GetPairs()[0].GetValue(), resp.GetPairs()[1].GetValue(), resp.GetPairs()[2].GetValue()) != "truefalsefalse" {
		t.Errorf("%v %v", err, resp)
	}
	c := h.client()
	all, err := c.Conf().All(ctx, "spark.sql.ansi.")
	if err != nil || all["spark.sql.ansi.enabled"] != "true" || len(all) != 1 {
		t.Errorf("%v %v", err, all)
	}
	if err := c.Conf().Unset(ctx, "spark.sql.session.timeZone"); err != nil {
		t.Error(err)
	}
	if v, _, _ := c.Conf().Get(ctx, "spark.sql.session.timeZone"); v != "UTC" {
		t.Errorf("time zone %s after unset", v)
	}
}

func TestAnalyze(t *testing.T) {
	h := serve(t)
	ask := func(r *pb.AnalyzePlanRequest) *pb.AnalyzePlanResponse {
		t.Helper()
		r.SessionId, r.UserContext = h.id, h.user()
		resp, err := h.stub.AnalyzePlan(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	p := root(rangeRelation(3))
	if got := ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_TreeString_{TreeString: &pb.AnalyzePlanRequest_TreeString{Plan: p}}}).GetTreeString().GetTreeString(); got != "root\n |-- id: long (nullable = false)\n" {
		t.Errorf("%q", got)
	}
	if got := ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Explain_{Explain: &pb.AnalyzePlanRequest_Explain{Plan: p,
		ExplainMode: pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED}}}).GetExplain().GetExplainString(); !strings.HasPrefix(got, "== extended ==") {
		t.Errorf("%q", got)
	}
	ddl := func(text string) *pb.DataType {
		return ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_DdlParse{DdlParse: &pb.AnalyzePlanRequest_DDLParse{DdlString: text}}}).GetDdlParse().GetParsed()
	}
	if ddl("int").GetInteger() == nil || len(ddl("a INT, b STRING").GetStruct().GetFields()) != 2 || ddl("array<bigint>").GetArray() == nil {
		t.Error("ddl_parse")
	}
	json := `{"type":"struct","fields":[{"name":"a b","type":"long","nullable":false,"metadata":{}},{"name":"c","type":{"type":"array","elementType":"integer","containsNull":true},"nullable":true,"metadata":{}}]}`
	if got := ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_JsonToDdl{JsonToDdl: &pb.AnalyzePlanRequest_JsonToDDL{JsonString: json}}}).GetJsonToDdl().GetDdlString(); got != "`a b` BIGINT NOT NULL,c ARRAY<INT>" {
		t.Errorf("%q", got)
	}
	same := func(a, b *pb.Relation) bool {
		return ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_SameSemantics_{SameSemantics: &pb.AnalyzePlanRequest_SameSemantics{
			TargetPlan: root(a), OtherPlan: root(b)}}}).GetSameSemantics().GetResult()
	}
	numbered := rangeRelation(3)
	numbered.Common = &pb.RelationCommon{PlanId: ptr(int64(7))}
	if !same(rangeRelation(3), numbered) || same(rangeRelation(3), rangeRelation(4)) {
		t.Error("same_semantics")
	}
	level := func() *pb.StorageLevel {
		return ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_GetStorageLevel_{GetStorageLevel: &pb.AnalyzePlanRequest_GetStorageLevel{Relation: numbered}}}).GetGetStorageLevel().GetStorageLevel()
	}
	ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Persist_{Persist: &pb.AnalyzePlanRequest_Persist{Relation: rangeRelation(3)}}})
	if l := level(); !l.GetUseMemory() || !l.GetUseDisk() {
		t.Errorf("%v", l)
	}
	ask(&pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Unpersist_{Unpersist: &pb.AnalyzePlanRequest_Unpersist{Relation: rangeRelation(3)}}})
	if l := level(); l.GetUseMemory() {
		t.Errorf("%v", l)
	}
}

func TestShowString(t *testing.T) {
	h := serve(t)
	s, err := h.stub.ExecutePlan(context.Background(), h.request(&pb.Relation{RelType: &pb.Relation_ShowString{ShowString: &pb.ShowString{
		Input: rangeRelation(3), NumRows: 2, Truncate: 20}}}, true))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := drainAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	_, batches, err := readStream(rs[1].GetArrowBatch().GetData())
	if err != nil {
		t.Fatal(err)
	}
	want := "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\nonly showing top 2 rows"
	if got := batches[0].Cols[0].Str(0); got != want || batches[0].Schema.Fields[0].Name != "show_string" {
		t.Errorf("%s", got)
	}
}

func TestSQLCommands(t *testing.T) {
	h := serve(t)
	sqlResult := func(text string) *pb.Relation {
		t.Helper()
		r := h.request(nil, true)
		r.Plan = &pb.Plan{OpType: &pb.Plan_Command{Command: &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: &pb.SqlCommand{
			Input: &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: text}}}}}}}}
		s, err := h.stub.ExecutePlan(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		rs, err := drainAll(t, s)
		if err != nil {
			t.Fatal(err)
		}
		return rs[0].GetSqlCommandResult().GetRelation()
	}
	if r := sqlResult("select 1"); r.GetSql().GetQuery() != "select 1" || len(h.fake.plans) != 0 {
		t.Errorf("a query came back as %v after %d executions", r, len(h.fake.plans))
	}
	r := sqlResult("set spark.sql.ansi.enabled = false")
	rows, err := localRows(r.GetLocalRelation(), nil)
	if err != nil || len(h.fake.plans) != 1 {
		t.Fatalf("%v after %d executions", err, len(h.fake.plans))
	}
	if b, err := rows.Next(context.Background()); err != nil || b.Cols[1].Str(0) != "false" {
		t.Errorf("%v %v", err, b)
	}
}

func TestCompressedPlan(t *testing.T) {
	r, _, err := openPlan(compressed(t, rangeRelation(5)))
	if err != nil || r.GetRange().GetEnd() != 5 {
		t.Errorf("%v %v", err, r)
	}
	bad := &pb.Plan{OpType: &pb.Plan_CompressedOperation_{CompressedOperation: &pb.Plan_CompressedOperation{Data: []byte("xx"),
		OpType: pb.Plan_CompressedOperation_OP_TYPE_RELATION, CompressionCodec: pb.CompressionCodec_COMPRESSION_CODEC_ZSTD}}}
	if _, _, err := openPlan(bad); err == nil || !strings.Contains(err.Error(), "CONNECT_INVALID_PLAN.CANNOT_PARSE") {
		t.Errorf("%v", err)
	}
}

func TestCachedLocalRelation(t *testing.T) {
	h := serve(t)
	ctx := context.Background()
	b, err := column.FromRows(column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}), []any{int64(0)}, []any{int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	data, err := writeStream(b.Schema, []*column.Batch{b})
	if err != nil {
		t.Fatal(err)
	}
	name := "cache/" + hashOf(data)
	up, err := h.stub.AddArtifacts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	half := len(data) / 2
	for _, r := range []*pb.AddArtifactsRequest{
		{Payload: &pb.AddArtifactsRequest_Batch_{Batch: &pb.AddArtifactsRequest_Batch{Artifacts: []*pb.AddArtifactsRequest_SingleChunkArtifact{
			{Name: "broken", Data: &pb.AddArtifactsRequest_ArtifactChunk{Data: data, Crc: 1}}}}}},
		{Payload: &pb.AddArtifactsRequest_BeginChunk{BeginChunk: &pb.AddArtifactsRequest_BeginChunkedArtifact{Name: name, TotalBytes: int64(len(data)), NumChunks: 2,
			InitialChunk: chunkOf(data[:half])}}},
		{Payload: &pb.AddArtifactsRequest_Chunk{Chunk: chunkOf(data[half:])}},
	} {
		r.SessionId, r.UserContext = h.id, h.user()
		if err := up.Send(r); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := up.CloseAndRecv()
	if err != nil || sum.GetArtifacts()[0].GetIsCrcSuccessful() || !sum.GetArtifacts()[1].GetIsCrcSuccessful() {
		t.Fatalf("%v %v", err, sum)
	}
	st, err := h.stub.ArtifactStatus(ctx, &pb.ArtifactStatusesRequest{SessionId: h.id, UserContext: h.user(), Names: []string{name, "broken"}})
	if err != nil || !st.GetStatuses()[name].GetExists() || st.GetStatuses()["broken"].GetExists() {
		t.Fatalf("%v %v", err, st)
	}
	s, err := h.stub.ExecutePlan(ctx, h.request(&pb.Relation{RelType: &pb.Relation_ChunkedCachedLocalRelation{
		ChunkedCachedLocalRelation: &pb.ChunkedCachedLocalRelation{DataHashes: []string{hashOf(data)}}}}, true))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := drainAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	checkRows(t, rs, 2)
}

func TestCatalog(t *testing.T) {
	h := serve(t)
	s := structured.NewSession(h.client())
	ctx := context.Background()
	if err := s.Range(0, 3, 1).CreateOrReplaceTempView(ctx, "nums"); err != nil {
		t.Fatal(err)
	}
	run := func(c *pb.Catalog) *column.Batch {
		t.Helper()
		st, err := h.stub.ExecutePlan(ctx, h.request(&pb.Relation{RelType: &pb.Relation_Catalog{Catalog: c}}, true))
		if err != nil {
			t.Fatal(err)
		}
		rs, err := drainAll(t, st)
		if err != nil {
			t.Fatal(err)
		}
		_, batches, err := readStream(rs[1].GetArrowBatch().GetData())
		if err != nil {
			t.Fatal(err)
		}
		return batches[0]
	}
	if b := run(&pb.Catalog{CatType: &pb.Catalog_ListTables{ListTables: &pb.ListTables{}}}); b.N != 1 || len(b.Cols) != 6 || b.Cols[0].Str(0) != "nums" || !b.Cols[5].Bools[0] {
		t.Errorf("listTables: %v", b.Schema)
	}
	if b := run(&pb.Catalog{CatType: &pb.Catalog_ListColumns{ListColumns: &pb.ListColumns{TableName: "nums"}}}); b.N != 1 || b.Cols[2].Str(0) != "bigint" {
		t.Errorf("listColumns: %d rows", b.N)
	}
	exists := func(name string) bool {
		return run(&pb.Catalog{CatType: &pb.Catalog_TableExists{TableExists: &pb.TableExists{TableName: name}}}).Cols[0].Bools[0]
	}
	if !exists("nums") || exists("none") {
		t.Error("tableExists")
	}
	if b := run(&pb.Catalog{CatType: &pb.Catalog_ListFunctions{ListFunctions: &pb.ListFunctions{Pattern: ptr("lowe*")}}}); b.N != 1 {
		t.Errorf("listFunctions: %d", b.N)
	}
	done := func(c *pb.Catalog) {
		t.Helper()
		st, err := h.stub.ExecutePlan(ctx, h.request(&pb.Relation{RelType: &pb.Relation_Catalog{Catalog: c}}, true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drainAll(t, st); err != nil {
			t.Fatal(err)
		}
	}
	done(&pb.Catalog{CatType: &pb.Catalog_AnalyzeTable{AnalyzeTable: &pb.AnalyzeTable{TableName: "default.nums", NoScan: true}}})
	if got := fmt.Sprint(h.fake.analyzed); got != "[AnalyzeTable default.nums, noscan]" {
		t.Errorf("analyzeTable: %s", got)
	}
	drop := func() bool {
		return run(&pb.Catalog{CatType: &pb.Catalog_DropTempView{DropTempView: &pb.DropTempView{ViewName: "nums"}}}).Cols[0].Bools[0]
	}
	if !drop() || drop() {
		t.Error("dropTempView")
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	h := serve(t)
	if _, err := h.client().Version(context.Background()); err != nil {
		t.Fatal(err)
	}
	h.server.sweep(time.Now().Add(59 * time.Minute))
	if h.fake.closed {
		t.Fatal("a session ended before its time")
	}
	h.server.sweep(time.Now().Add(61 * time.Minute))
	if !h.fake.closed {
		t.Fatal("an idle session lives on")
	}
}
