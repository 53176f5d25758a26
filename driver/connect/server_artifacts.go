package connect

import (
	"context"
	"hash/crc32"
	"io"
	"strings"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"google.golang.org/grpc"
)

// maxArtifacts bounds what a session may upload.
const maxArtifacts = 1 << 30

// ArtifactStatus says which uploads the session has, so that a client sends only what is missing.
func (s *Server) ArtifactStatus(_ context.Context, r *pb.ArtifactStatusesRequest) (*pb.ArtifactStatusesResponse, error) {
	x, err := s.session(r)
	if err != nil {
		return nil, err
	}
	resp := &pb.ArtifactStatusesResponse{SessionId: x.key.id, ServerSideSessionId: x.serverID, Statuses: map[string]*pb.ArtifactStatusesResponse_ArtifactStatus{}}
	for _, name := range r.GetNames() {
		_, ok := x.artifact(name)
		resp.Statuses[name] = &pb.ArtifactStatusesResponse_ArtifactStatus{Exists: ok}
	}
	return resp, nil
}

// AddArtifacts receives uploads: rows to be cached under their hash, or files. Files are kept by name; nothing runs them.
func (s *Server) AddArtifacts(stream grpc.ClientStreamingServer[pb.AddArtifactsRequest, pb.AddArtifactsResponse]) error {
	up := &upload{}
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if up.session == nil {
			if up.session, err = s.session(r); err != nil {
				return err
			}
		}
		if err := up.add(r); err != nil {
			return up.session.fail(err)
		}
	}
	if up.session == nil {
		return toStatus(missing("spark.connect.AddArtifactsRequest", "session_id"), nil)
	}
	if up.name != "" {
		return up.session.fail(invalidPlan("ARTIFACT", "The upload of %s ended after %d of %d chunks.", up.name, up.have, up.chunks))
	}
	return stream.SendAndClose(&pb.AddArtifactsResponse{SessionId: up.session.key.id, ServerSideSessionId: up.session.serverID, Artifacts: up.done})
}

// upload is the state of one AddArtifacts stream: at most one artifact is in pieces at a time.
type upload struct {
	session *session
	done    []*pb.AddArtifactsResponse_ArtifactSummary
	name    string
	data    []byte
	sound   bool
	have    int64
	chunks  int64
}

func (u *upload) add(r *pb.AddArtifactsRequest) error {
	switch p := r.GetPayload().(type) {
	case *pb.AddArtifactsRequest_Batch_:
		for _, a := range p.Batch.GetArtifacts() {
			data := a.GetData().GetData()
			if err := u.keep(a.GetName(), data, sound(a.GetData())); err != nil {
				return err
			}
		}
		return nil
	case *pb.AddArtifactsRequest_BeginChunk:
		b := p.BeginChunk
		if u.name != "" {
			return invalidPlan("ARTIFACT", "The upload of %s began before that of %s ended.", b.GetName(), u.name)
		}
		u.name, u.chunks, u.have, u.sound, u.data = b.GetName(), b.GetNumChunks(), 0, true, nil
		return u.chunk(b.GetInitialChunk())
	case *pb.AddArtifactsRequest_Chunk:
		if u.name == "" {
			return invalidPlan("ARTIFACT", "A chunk came before the artifact that it belongs to.")
		}
		return u.chunk(p.Chunk)
	}
	return notSet("spark.connect.AddArtifactsRequest", "PAYLOAD_NOT_SET")
}

func (u *upload) chunk(c *pb.AddArtifactsRequest_ArtifactChunk) error {
	u.sound = u.sound && sound(c)
	u.have++
	if len(u.data)+len(c.GetData()) > maxArtifacts {
		return artifactsTooLarge()
	}
	u.data = append(u.data, c.GetData()...)
	if u.have < u.chunks {
		return nil
	}
	name := u.name
	u.name = ""
	return u.keep(name, u.data, u.sound)
}

func sound(c *pb.AddArtifactsRequest_ArtifactChunk) bool {
	return int64(crc32.ChecksumIEEE(c.GetData())) == c.GetCrc()
}

// keep stores an artifact whose checksums were right; the client sends the others again.
func (u *upload) keep(name string, data []byte, ok bool) error {
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
		return usererr.New("INVALID_ARTIFACT_PATH", "56K00", "The artifact name %q is not a path relative to the session.", name)
	}
	u.done = append(u.done, &pb.AddArtifactsResponse_ArtifactSummary{Name: name, IsCrcSuccessful: ok})
	if !ok {
		return nil
	}
	s := u.session
	s.mu.Lock()
	defer s.mu.Unlock()
	total := len(data)
	for n, d := range s.artifacts {
		if n != name {
			total += len(d)
		}
	}
	if total > maxArtifacts {
		return artifactsTooLarge()
	}
	s.artifacts[name] = data
	return nil
}

func artifactsTooLarge() error {
	return usererr.New("CONNECT_INVALID_PLAN.LOCAL_RELATION_SIZE_LIMIT_EXCEEDED", "56K00", "The artifacts of the session exceed %d bytes.", maxArtifacts).
		WithFix("Write large data to a file or topic and read it from there.")
}
