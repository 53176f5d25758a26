package connect

import (
	"fmt"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
)

// PlanCodec keeps unresolved plans as the bytes that a client would send, so that a streaming query can be planned again
// when its node restarts.
type PlanCodec struct{}

// EncodePlan is the plan as a spark.connect.Relation.
func (PlanCodec) EncodePlan(p logical.Plan) ([]byte, error) {
	r, err := planToProto(p)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(r)
}

// DecodePlan undoes EncodePlan.
func (PlanCodec) DecodePlan(b []byte) (logical.Plan, error) {
	r := &pb.Relation{}
	if err := proto.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("connect: stored plan: %w", err)
	}
	return (&decoder{}).relation(r)
}
