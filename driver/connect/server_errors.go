package connect

import (
	"context"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
)

// FetchErrorDetails answers the whole of an error whose status could carry only its beginning. An id that is not known
// (any more) is answered without errors, and the client keeps what the status said.
func (s *Server) FetchErrorDetails(_ context.Context, r *pb.FetchErrorDetailsRequest) (*pb.FetchErrorDetailsResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	resp := &pb.FetchErrorDetailsResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID}
	if u := x.keptError(r.GetErrorId()); u != nil {
		resp.RootErrorIdx = ptr(int32(0))
		resp.Errors = errorDetails(u)
	}
	return resp, nil
}
