package connect

import (
	"context"
	"hash/crc32"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
)

// artifactChunk is how many bytes of a file one message carries.
const artifactChunk = 1 << 20

// AddArtifact uploads a file, which statements of this session then find by its name.
func (c *Client) AddArtifact(ctx context.Context, name string, data []byte) error {
	stream, err := c.stub.AddArtifacts(ctx)
	if err != nil {
		return c.explained(ctx, err)
	}
	for _, r := range artifactRequests("files/"+name, data) {
		r.SessionId, r.UserContext, r.ClientType = c.id, c.user, c.clientType()
		if err := stream.Send(r); err != nil {
			break // the answer says why
		}
	}
	resp, err := stream.CloseAndRecv()
	if err != nil {
		return c.explained(ctx, err)
	}
	if err := c.check(resp); err != nil {
		return err
	}
	for _, a := range resp.GetArtifacts() {
		if !a.GetIsCrcSuccessful() {
			return usererr.New("ARTIFACT_DAMAGED", "58030", "The file %s arrived damaged.", name).WithFix("Send it again.")
		}
	}
	return nil
}

// artifactRequests cuts a file into chunks.
func artifactRequests(name string, data []byte) []*pb.AddArtifactsRequest {
	var chunks []*pb.AddArtifactsRequest_ArtifactChunk
	for rest := data; ; {
		part := rest[:min(len(rest), artifactChunk)]
		rest = rest[len(part):]
		chunks = append(chunks, &pb.AddArtifactsRequest_ArtifactChunk{Data: part, Crc: int64(crc32.ChecksumIEEE(part))})
		if len(rest) == 0 {
			break
		}
	}
	out := []*pb.AddArtifactsRequest{{Payload: &pb.AddArtifactsRequest_BeginChunk{BeginChunk: &pb.AddArtifactsRequest_BeginChunkedArtifact{
		Name: name, TotalBytes: int64(len(data)), NumChunks: int64(len(chunks)), InitialChunk: chunks[0]}}}}
	for _, chunk := range chunks[1:] {
		out = append(out, &pb.AddArtifactsRequest{Payload: &pb.AddArtifactsRequest_Chunk{Chunk: chunk}})
	}
	return out
}
