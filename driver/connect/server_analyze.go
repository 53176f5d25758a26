package connect

import (
	"context"
	"hash/fnv"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// AnalyzePlan answers questions about a plan without running it.
func (s *Server) AnalyzePlan(ctx context.Context, r *pb.AnalyzePlanRequest) (*pb.AnalyzePlanResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	resp := &pb.AnalyzePlanResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID}
	if err := s.analyze(ctx, x, r, resp); err != nil {
		return nil, x.fail(err)
	}
	return resp, nil
}

func (s *Server) analyze(ctx context.Context, x *session, r *pb.AnalyzePlanRequest, resp *pb.AnalyzePlanResponse) error {
	switch k := r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_Schema_:
		info, err := x.analysis(ctx, k.Schema.GetPlan())
		if err != nil {
			return err
		}
		resp.Result = &pb.AnalyzePlanResponse_Schema_{Schema: &pb.AnalyzePlanResponse_Schema{Schema: schemaToProto(info.Schema)}}
	case *pb.AnalyzePlanRequest_Explain_:
		text, err := x.explain(ctx, k.Explain)
		resp.Result = &pb.AnalyzePlanResponse_Explain_{Explain: &pb.AnalyzePlanResponse_Explain{ExplainString: text}}
		return err
	case *pb.AnalyzePlanRequest_TreeString_:
		info, err := x.analysis(ctx, k.TreeString.GetPlan())
		if err != nil {
			return err
		}
		level := 0
		if k.TreeString.Level != nil {
			level = int(k.TreeString.GetLevel())
		}
		resp.Result = &pb.AnalyzePlanResponse_TreeString_{TreeString: &pb.AnalyzePlanResponse_TreeString{TreeString: structured.TreeString(info.Schema, level)}}
	case *pb.AnalyzePlanRequest_IsLocal_:
		local, err := x.isLocal(ctx, k.IsLocal.GetPlan())
		resp.Result = &pb.AnalyzePlanResponse_IsLocal_{IsLocal: &pb.AnalyzePlanResponse_IsLocal{IsLocal: local}}
		return err
	case *pb.AnalyzePlanRequest_IsStreaming_:
		info, err := x.analysis(ctx, k.IsStreaming.GetPlan())
		if err != nil {
			return err
		}
		resp.Result = &pb.AnalyzePlanResponse_IsStreaming_{IsStreaming: &pb.AnalyzePlanResponse_IsStreaming{IsStreaming: info.Streaming}}
	case *pb.AnalyzePlanRequest_InputFiles_:
		info, err := x.analysis(ctx, k.InputFiles.GetPlan())
		if err != nil {
			return err
		}
		resp.Result = &pb.AnalyzePlanResponse_InputFiles_{InputFiles: &pb.AnalyzePlanResponse_InputFiles{Files: info.Files}}
	case *pb.AnalyzePlanRequest_SparkVersion_:
		resp.Result = &pb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &pb.AnalyzePlanResponse_SparkVersion{Version: s.opts.Version}}
	case *pb.AnalyzePlanRequest_DdlParse:
		return ddlParse(k.DdlParse.GetDdlString(), resp)
	case *pb.AnalyzePlanRequest_JsonToDdl:
		schema, err := parseSchema(k.JsonToDdl.GetJsonString())
		if err != nil {
			return err
		}
		resp.Result = &pb.AnalyzePlanResponse_JsonToDdl{JsonToDdl: &pb.AnalyzePlanResponse_JsonToDDL{DdlString: schemaDDL(schema)}}
	case *pb.AnalyzePlanRequest_SameSemantics_:
		a, err := canonical(k.SameSemantics.GetTargetPlan())
		if err != nil {
			return err
		}
		b, err := canonical(k.SameSemantics.GetOtherPlan())
		resp.Result = &pb.AnalyzePlanResponse_SameSemantics_{SameSemantics: &pb.AnalyzePlanResponse_SameSemantics{Result: string(a) == string(b)}}
		return err
	case *pb.AnalyzePlanRequest_SemanticHash_:
		data, err := canonical(k.SemanticHash.GetPlan())
		h := fnv.New32a()
		h.Write(data)
		resp.Result = &pb.AnalyzePlanResponse_SemanticHash_{SemanticHash: &pb.AnalyzePlanResponse_SemanticHash{Result: int32(h.Sum32())}}
		return err
	case *pb.AnalyzePlanRequest_Persist_, *pb.AnalyzePlanRequest_Unpersist_, *pb.AnalyzePlanRequest_GetStorageLevel_:
		return x.persistence(ctx, r, resp)
	default:
		return notSet("spark.connect.AnalyzePlanRequest", "ANALYZE_NOT_SET")
	}
	return nil
}

// analysis resolves a plan. The relations that only stand at the root have known schemas.
func (s *session) analysis(ctx context.Context, p *pb.Plan) (*structured.Analysis, error) {
	plan, err := s.queryOf(ctx, p)
	if err != nil {
		return nil, err
	}
	info, err := s.backend.Analyze(ctx, plan)
	if err == nil && info.Schema == nil {
		// A command that prints nothing.
		info = &structured.Analysis{Schema: column.NewSchema(), Streaming: info.Streaming, Command: info.Command, Files: info.Files}
	}
	return info, err
}

func (s *session) queryOf(ctx context.Context, p *pb.Plan) (logical.Plan, error) {
	r, _, err := openPlan(p)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, invalidPlan("NOT_A_RELATION", "Only a relation can be analyzed.")
	}
	return s.decoder(ctx).plan(r)
}

var explainModes = map[pb.AnalyzePlanRequest_Explain_ExplainMode]string{
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_UNSPECIFIED: "simple",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE:      "simple",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED:    "extended",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_CODEGEN:     "codegen",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_COST:        "cost",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED:   "formatted",
}

func (s *session) explain(ctx context.Context, e *pb.AnalyzePlanRequest_Explain) (string, error) {
	mode, ok := explainModes[e.GetExplainMode()]
	if !ok {
		return "", invalidPlan("INVALID_ENUM", "The explain mode %s is not known.", e.GetExplainMode())
	}
	plan, err := s.queryOf(ctx, e.GetPlan())
	if err != nil {
		return "", err
	}
	return s.backend.Explain(ctx, plan, mode)
}

// isLocal reports whether the rows are in the plan itself.
func (s *session) isLocal(ctx context.Context, p *pb.Plan) (bool, error) {
	plan, err := s.queryOf(ctx, p)
	if err != nil {
		return false, err
	}
	if id, ok := plan.(*logical.PlanID); ok {
		plan = id.Child
	}
	_, local := plan.(*logical.Local)
	return local, nil
}

// ddlParse answers a type as a type, and a schema as a struct.
func ddlParse(text string, resp *pb.AnalyzePlanResponse) error {
	t, err := parseType(text)
	if err != nil {
		return err
	}
	resp.Result = &pb.AnalyzePlanResponse_DdlParse{DdlParse: &pb.AnalyzePlanResponse_DDLParse{Parsed: typeToProto(t)}}
	return nil
}

// canonical is a plan's bytes without what does not change its meaning: the numbers of relations and where they came from.
func canonical(p *pb.Plan) ([]byte, error) {
	r, _, err := openPlan(p)
	if err != nil {
		return nil, err
	}
	c := proto.Clone(r)
	clearCommon(c.ProtoReflect(), 0)
	return proto.MarshalOptions{Deterministic: true}.Marshal(c)
}

func clearCommon(m protoreflect.Message, depth int) {
	if depth > maxDepth {
		return
	}
	switch x := m.Interface().(type) {
	case *pb.Relation:
		x.Common = nil
	case *pb.Expression:
		x.Common = nil
	case *pb.Expression_UnresolvedAttribute:
		x.PlanId = nil
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, e protoreflect.Value) bool {
					clearCommon(e.Message(), depth+1)
					return true
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				clearCommon(v.List().Get(i).Message(), depth+1)
			}
		default:
			clearCommon(v.Message(), depth+1)
		}
		return true
	})
}

// persistence answers cache(), unpersist() and storageLevel. The backend keeps the rows of a persisted relation when it first
// computes them, in memory as long as there is room and on disk else, whatever the level.
func (s *session) persistence(ctx context.Context, r *pb.AnalyzePlanRequest, resp *pb.AnalyzePlanResponse) error {
	relation, level := persisted(r)
	key, err := canonical(&pb.Plan{OpType: &pb.Plan_Root{Root: relation}})
	if err != nil {
		return err
	}
	plan, err := s.decoder(ctx).plan(relation)
	if err != nil {
		return err
	}
	if _, err := s.backend.Analyze(ctx, plan); err != nil {
		return err
	}
	if err := s.keepRows(ctx, r, cacheKey(key), plan); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_Persist_:
		s.levels[string(key)] = level
		resp.Result = &pb.AnalyzePlanResponse_Persist_{Persist: &pb.AnalyzePlanResponse_Persist{}}
	case *pb.AnalyzePlanRequest_Unpersist_:
		delete(s.levels, string(key))
		resp.Result = &pb.AnalyzePlanResponse_Unpersist_{Unpersist: &pb.AnalyzePlanResponse_Unpersist{}}
	default:
		held := s.levels[string(key)]
		if held == nil {
			held = &pb.StorageLevel{Replication: 1}
		}
		resp.Result = &pb.AnalyzePlanResponse_GetStorageLevel_{GetStorageLevel: &pb.AnalyzePlanResponse_GetStorageLevel{StorageLevel: held}}
	}
	return nil
}

// keepRows tells the backend of persist and unpersist.
func (s *session) keepRows(ctx context.Context, r *pb.AnalyzePlanRequest, key string, plan logical.Plan) error {
	var command logical.Plan
	switch r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_Persist_:
		command = &logical.CacheTable{Key: key, Lazy: true, Query: plan}
	case *pb.AnalyzePlanRequest_Unpersist_:
		command = &logical.Uncache{Key: key}
	default:
		return nil
	}
	rows, err := s.backend.Execute(ctx, command, structured.ExecOptions{})
	if err != nil {
		return err
	}
	_, err = collect(ctx, rows, 0)
	return err
}

func persisted(r *pb.AnalyzePlanRequest) (*pb.Relation, *pb.StorageLevel) {
	switch k := r.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_Persist_:
		if l := k.Persist.GetStorageLevel(); l != nil {
			return k.Persist.GetRelation(), l
		}
		return k.Persist.GetRelation(), &pb.StorageLevel{UseDisk: true, UseMemory: true, Deserialized: true, Replication: 1}
	case *pb.AnalyzePlanRequest_Unpersist_:
		return k.Unpersist.GetRelation(), nil
	}
	return r.GetGetStorageLevel().GetRelation(), nil
}
