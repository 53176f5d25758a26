package connect

import (
	"github.com/klauspost/compress/zstd"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
)

// decoder turns messages into logical plans. What a message only names (cached rows, DataFrames kept on the server) is
// looked up in the session. A decoder serves one message at a time.
type decoder struct {
	// artifact returns cached rows by hash, cached a DataFrame kept on the server; both may be nil.
	artifact func(name string) ([]byte, bool)
	cached   func(id string) (logical.Plan, bool)
	// persisted is the key of a relation whose rows are to be kept; nil when there are none.
	persisted func(r *pb.Relation) (key string, ok bool)
	// source is the format of reads and writes that name none.
	source string
	depth  int
	// subplans are the relations that subquery expressions refer to, by their number on the wire.
	subplans map[int64]logical.Plan
}

func (d *decoder) enter() { d.depth++ }
func (d *decoder) leave() { d.depth-- }

// defaultSource is spark.sql.sources.default as Spark has it.
const defaultSource = "parquet"

func (d *decoder) format(name string) string {
	if name != "" {
		return name
	}
	if d.source != "" {
		return d.source
	}
	return defaultSource
}

// maxPlanBytes bounds what a compressed plan may unfold to.
const maxPlanBytes = 512 << 20

// openPlan returns the relation or command of a plan, decompressed when it came so.
func openPlan(p *pb.Plan) (*pb.Relation, *pb.Command, error) {
	switch op := p.GetOpType().(type) {
	case *pb.Plan_Root:
		return op.Root, nil, nil
	case *pb.Plan_Command:
		return nil, op.Command, nil
	case *pb.Plan_CompressedOperation_:
		return decompress(op.CompressedOperation)
	}
	return nil, nil, notSet("spark.connect.Plan", "OPTYPE_NOT_SET")
}

func decompress(c *pb.Plan_CompressedOperation) (*pb.Relation, *pb.Command, error) {
	if c.GetCompressionCodec() != pb.CompressionCodec_COMPRESSION_CODEC_ZSTD {
		return nil, nil, cannotParse("the compression codec %s is not known", c.GetCompressionCodec())
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPlanBytes), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, cannotParse("%v", err)
	}
	defer z.Close()
	data, err := z.DecodeAll(c.GetData(), nil)
	if err != nil {
		return nil, nil, cannotParse("%v", err)
	}
	switch c.GetOpType() {
	case pb.Plan_CompressedOperation_OP_TYPE_RELATION:
		r := &pb.Relation{}
		if err := proto.Unmarshal(data, r); err != nil {
			return nil, nil, cannotParse("%v", err)
		}
		return r, nil, nil
	case pb.Plan_CompressedOperation_OP_TYPE_COMMAND:
		cmd := &pb.Command{}
		if err := proto.Unmarshal(data, cmd); err != nil {
			return nil, nil, cannotParse("%v", err)
		}
		return nil, cmd, nil
	}
	return nil, nil, cannotParse("the compressed operation is neither relation nor command")
}

func cannotParse(format string, args ...any) error {
	return invalidPlan("CANNOT_PARSE", "Cannot decompress or parse the input plan: "+format+".", args...).
		WithFix("This may be caused by a corrupted or too large plan: send it uncompressed.")
}
