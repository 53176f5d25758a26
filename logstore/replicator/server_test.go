package replicator

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// server answers the fetches of followers from one node's partition, without sessions: each request names everything.
type server struct {
	n    *node
	done chan struct{}

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func newServer(n *node) *server { return &server{n: n, done: make(chan struct{})} }

func (s *server) serve(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		nc.Close()
		return
	default:
	}
	s.conns = append(s.conns, nc)
	s.wg.Go(func() {
		defer nc.Close()
		for s.answer(nc) == nil {
		}
	})
}

func (s *server) close() {
	s.mu.Lock()
	close(s.done)
	for _, c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *server) answer(nc net.Conn) error {
	var head [4]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return err
	}
	frame := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(nc, frame); err != nil {
		return err
	}
	b := kbin.Reader{Src: frame}
	b.Int16()
	version, corr := b.Int16(), b.Int32()
	b.NullableString()
	kmsg.SkipTags(&b)
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(version)
	if err := req.ReadFrom(b.Src); err != nil {
		return err
	}
	resp := s.fetch(req)
	out := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(corr))
	out = resp.AppendTo(append(out, 0))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	_, err := nc.Write(out)
	return err
}

func (s *server) fetch(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	resp.SetVersion(req.Version)
	patience := time.After(time.Duration(req.MaxWaitMillis) * time.Millisecond)
	part := s.n.part
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			for {
				changed := part.ReplicaChanged()
				out, news := s.read(part, req, p)
				if !news {
					select {
					case <-changed:
						continue
					case <-patience:
					case <-s.done:
					}
				}
				rt := kmsg.NewFetchResponseTopic()
				rt.TopicID = t.TopicID
				rt.Partitions = append(rt.Partitions, out)
				resp.Topics = append(resp.Topics, rt)
				break
			}
		}
	}
	return resp
}

func (s *server) read(part *logstore.Partition, req *kmsg.FetchRequest, p kmsg.FetchRequestTopicPartition) (kmsg.FetchResponseTopicPartition, bool) {
	out := kmsg.NewFetchResponseTopicPartition()
	out.Partition = p.Partition
	known := part.Offsets().HighWatermark
	res, err := part.ReplicaRead(logstore.ReplicaFetch{
		Node: req.ReplicaState.ID, BrokerEpoch: req.ReplicaState.Epoch, From: p.FetchOffset,
		Epoch: p.CurrentLeaderEpoch, LastFetchedEpoch: p.LastFetchedEpoch, MaxBytes: int(p.PartitionMaxBytes),
	})
	out.HighWatermark, out.LogStartOffset = res.HighWatermark, res.LogStart
	switch {
	case err == nil:
	case errors.Is(err, logstore.ErrOffsetOutOfRange):
		out.ErrorCode = kerr.OffsetOutOfRange.Code
	case errors.Is(err, logstore.ErrFencedLeaderEpoch):
		out.ErrorCode = kerr.FencedLeaderEpoch.Code
	case errors.Is(err, logstore.ErrUnknownLeaderEpoch):
		out.ErrorCode = kerr.UnknownLeaderEpoch.Code
	default:
		out.ErrorCode = kerr.NotLeaderForPartition.Code
	}
	if d := res.Diverging; d != nil {
		out.DivergingEpoch.Epoch, out.DivergingEpoch.EndOffset = d.Epoch, d.End
	}
	out.RecordBatches = append([]byte(nil), res.Data...)
	res.Release()
	return out, err != nil || res.Diverging != nil || len(out.RecordBatches) > 0 || res.HighWatermark > known
}
