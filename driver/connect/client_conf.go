package connect

import (
	"context"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured"
)

// remoteConf is the settings of a session on a server.
type remoteConf struct{ c *Client }

// Conf is the session's settings, read and written on the server.
func (c *Client) Conf() structured.Conf { return remoteConf{c} }

func (r remoteConf) do(ctx context.Context, op *pb.ConfigRequest_Operation) (*pb.ConfigResponse, error) {
	c := r.c
	return call(ctx, c, &pb.ConfigRequest{SessionId: c.id, UserContext: c.user, ClientType: c.clientType(),
		ClientObservedServerSideSessionId: c.observed(), Operation: op}, c.stub.Config)
}

func (r remoteConf) Get(ctx context.Context, key string) (string, bool, error) {
	resp, err := r.do(ctx, &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_GetOption{GetOption: &pb.ConfigRequest_GetOption{Keys: []string{key}}}})
	if err != nil || len(resp.GetPairs()) == 0 || resp.GetPairs()[0].Value == nil {
		return "", false, err
	}
	return resp.GetPairs()[0].GetValue(), true, nil
}

func (r remoteConf) Set(ctx context.Context, key, value string) error {
	_, err := r.do(ctx, &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{Set: &pb.ConfigRequest_Set{
		Pairs: []*pb.KeyValue{{Key: key, Value: ptr(value)}}}}})
	return err
}

func (r remoteConf) Unset(ctx context.Context, key string) error {
	_, err := r.do(ctx, &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Unset{Unset: &pb.ConfigRequest_Unset{Keys: []string{key}}}})
	return err
}

func (r remoteConf) All(ctx context.Context, prefix string) (map[string]string, error) {
	all := &pb.ConfigRequest_GetAll{}
	if prefix != "" {
		all.Prefix = ptr(prefix)
	}
	resp, err := r.do(ctx, &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_GetAll{GetAll: all}})
	out := map[string]string{}
	for _, kv := range resp.GetPairs() {
		out[prefix+kv.GetKey()] = kv.GetValue()
	}
	return out, err
}

func (r remoteConf) Modifiable(ctx context.Context, key string) (bool, error) {
	resp, err := r.do(ctx, &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_IsModifiable{IsModifiable: &pb.ConfigRequest_IsModifiable{Keys: []string{key}}}})
	return len(resp.GetPairs()) > 0 && resp.GetPairs()[0].GetValue() == "true", err
}
