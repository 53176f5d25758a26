package replicator

import (
	"github.com/streamflow/streamflow/logstore"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// session is what the leader knows of this fetcher's partitions (KIP-227): a request names only those that have moved.
type session struct {
	id    int32
	epoch int32 // of the next request
	told  map[key]position
}

// key names a partition on the wire.
type key struct {
	topic     [16]byte
	partition int32
}

// position is what a request says of a partition.
type position struct {
	from  int64
	epoch int32
	last  int32 // epoch of the batch before from
}

func positionOf(s logstore.FetchState) position { return position{s.From, s.Epoch, s.LastFetchedEpoch} }

// request makes the next request: want is where partitions stand that are to be fetched, all of them or those that may have
// moved.
func (s *session) request(o *Options, want map[key]position, all bool) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(fetchVersion)
	req.ReplicaState.ID, req.ReplicaState.Epoch = o.Node, o.BrokerEpoch()
	req.MaxWaitMillis, req.MinBytes = int32(o.MaxWait.Milliseconds()), 1
	req.MaxBytes = int32(o.MaxBytes)
	req.SessionID, req.SessionEpoch = s.id, s.epoch
	topics := map[[16]byte]int{}
	for k, at := range want {
		if told, ok := s.told[k]; ok && told == at {
			continue
		}
		s.told[k] = at
		i, ok := topics[k.topic]
		if !ok {
			t := kmsg.NewFetchRequestTopic()
			t.TopicID = k.topic
			i = len(req.Topics)
			topics[k.topic] = i
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = k.partition, at.from, int32(o.MaxPartitionBytes)
		p.CurrentLeaderEpoch, p.LastFetchedEpoch = at.epoch, at.last
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	if all {
		s.forget(req, want)
	}
	return req
}

// forget names the partitions that are not to be fetched any more.
func (s *session) forget(req *kmsg.FetchRequest, want map[key]position) {
	topics := map[[16]byte]int{}
	for k := range s.told {
		if _, ok := want[k]; ok {
			continue
		}
		delete(s.told, k)
		i, ok := topics[k.topic]
		if !ok {
			t := kmsg.NewFetchRequestForgottenTopic()
			t.TopicID = k.topic
			i = len(req.ForgottenTopics)
			topics[k.topic] = i
			req.ForgottenTopics = append(req.ForgottenTopics, t)
		}
		req.ForgottenTopics[i].Partitions = append(req.ForgottenTopics[i].Partitions, k.partition)
	}
}

// answered takes the leader's word on the session. 0 is none: the next one begins anew.
func (s *session) answered(id int32) { s.id, s.epoch = id, s.epoch+1 }

// restart begins the session anew.
func (s *session) restart() { *s = session{told: map[key]position{}} }
