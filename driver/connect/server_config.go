package connect

import (
	"context"
	"strconv"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured"
)

// Config reads and writes the session's settings.
func (s *Server) Config(ctx context.Context, r *pb.ConfigRequest) (*pb.ConfigResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	resp := &pb.ConfigResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID}
	if err := config(ctx, x.backend.Conf(), r.GetOperation(), resp); err != nil {
		return nil, x.fail(err)
	}
	return resp, nil
}

func config(ctx context.Context, conf structured.Conf, op *pb.ConfigRequest_Operation, resp *pb.ConfigResponse) error {
	switch k := op.GetOpType().(type) {
	case *pb.ConfigRequest_Operation_Set:
		return configSet(ctx, conf, k.Set, resp)
	case *pb.ConfigRequest_Operation_Get:
		return configGet(ctx, conf, k.Get.GetKeys(), resp)
	case *pb.ConfigRequest_Operation_GetWithDefault:
		for _, kv := range k.GetWithDefault.GetPairs() {
			if err := configOption(ctx, conf, kv.GetKey(), kv.Value, resp); err != nil {
				return err
			}
		}
		return nil
	case *pb.ConfigRequest_Operation_GetOption:
		for _, key := range k.GetOption.GetKeys() {
			if err := configOption(ctx, conf, key, nil, resp); err != nil {
				return err
			}
		}
		return nil
	case *pb.ConfigRequest_Operation_GetAll:
		return configAll(ctx, conf, k.GetAll.GetPrefix(), resp)
	case *pb.ConfigRequest_Operation_Unset:
		for _, key := range k.Unset.GetKeys() {
			if err := conf.Unset(ctx, key); err != nil {
				return err
			}
		}
		return nil
	case *pb.ConfigRequest_Operation_IsModifiable:
		for _, key := range k.IsModifiable.GetKeys() {
			ok, err := conf.Modifiable(ctx, key)
			if err != nil {
				return err
			}
			resp.Pairs = append(resp.Pairs, &pb.KeyValue{Key: key, Value: ptr(strconv.FormatBool(ok))})
		}
		return nil
	}
	return notSet("spark.connect.ConfigRequest.Operation", "OPTYPE_NOT_SET")
}

// configSet sets all pairs; a silent set turns refusals into warnings, as a client that passes its own options on wants.
func configSet(ctx context.Context, conf structured.Conf, set *pb.ConfigRequest_Set, resp *pb.ConfigResponse) error {
	for _, kv := range set.GetPairs() {
		err := conf.Set(ctx, kv.GetKey(), kv.GetValue())
		if err != nil && !set.GetSilent() {
			return err
		}
		if err != nil {
			resp.Warnings = append(resp.Warnings, err.Error())
		}
	}
	return nil
}

func configGet(ctx context.Context, conf structured.Conf, keys []string, resp *pb.ConfigResponse) error {
	for _, key := range keys {
		v, ok, err := conf.Get(ctx, key)
		if err != nil {
			return err
		}
		if !ok {
			return structured.NoSuchConf(key)
		}
		resp.Pairs = append(resp.Pairs, &pb.KeyValue{Key: key, Value: ptr(v)})
	}
	return nil
}

// configOption answers a key that need not exist.
func configOption(ctx context.Context, conf structured.Conf, key string, otherwise *string, resp *pb.ConfigResponse) error {
	v, ok, err := conf.Get(ctx, key)
	if err != nil {
		return err
	}
	kv := &pb.KeyValue{Key: key, Value: otherwise}
	if ok {
		kv.Value = ptr(v)
	}
	resp.Pairs = append(resp.Pairs, kv)
	return nil
}

// configAll lists settings; with a prefix their keys come without it, as Spark does.
func configAll(ctx context.Context, conf structured.Conf, prefix string, resp *pb.ConfigResponse) error {
	all, err := conf.All(ctx, prefix)
	if err != nil {
		return err
	}
	for _, key := range sortedKeys(all) {
		resp.Pairs = append(resp.Pairs, &pb.KeyValue{Key: key[len(prefix):], Value: ptr(all[key])})
	}
	return nil
}
