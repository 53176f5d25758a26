package connect

import (
	"hash/crc32"
	"testing"

	"github.com/klauspost/compress/zstd"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"google.golang.org/protobuf/proto"
)

func compressed(t *testing.T, r *pb.Relation) *pb.Plan {
	t.Helper()
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return &pb.Plan{OpType: &pb.Plan_CompressedOperation_{CompressedOperation: &pb.Plan_CompressedOperation{Data: z.EncodeAll(data, nil),
		OpType: pb.Plan_CompressedOperation_OP_TYPE_RELATION, CompressionCodec: pb.CompressionCodec_COMPRESSION_CODEC_ZSTD}}}
}

func chunkOf(data []byte) *pb.AddArtifactsRequest_ArtifactChunk {
	return &pb.AddArtifactsRequest_ArtifactChunk{Data: data, Crc: int64(crc32.ChecksumIEEE(data))}
}
