package kafka

import (
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// asked makes a set of the partitions that a full request names. Nothing in it aliases the frame.
func (f *fetchCall) asked() *fetchSet {
	n := 0
	for i := range f.req.Topics {
		n += len(f.req.Topics[i].Partitions)
	}
	block := make([]fetchPart, n)
	lists := make([]*fetchPart, 2*n)
	s := &fetchSet{all: lists[:0:n], hot: lists[n:n], replica: f.follower != nil}
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		key := f.key(t.Topic, t.TopicID)
		for j := range t.Partitions {
			p := &block[0]
			block = block[1:]
			key.partition = t.Partitions[j].Partition
			p.fetchKey = key
			p.ask(&t.Partitions[j])
			s.add(p)
		}
	}
	return s
}

// key is how a request names a topic.
func (f *fetchCall) key(name string, id [16]byte) fetchKey {
	if f.req.Version >= 13 {
		return fetchKey{id: id}
	}
	return fetchKey{name: strings.Clone(name)}
}

// ask takes over what a request wants of a partition.
func (p *fetchPart) ask(r *kmsg.FetchRequestTopicPartition) {
	p.from, p.maxBytes, p.epoch, p.lastEpoch = r.FetchOffset, r.PartitionMaxBytes, r.CurrentLeaderEpoch, r.LastFetchedEpoch
}

// resolve finds the partitions that are not found yet, or all when topics have changed.
func (f *fetchCall) resolve() {
	s := f.set
	again := s.topics == nil
	select {
	case <-s.topics:
		again = true
	default:
	}
	if again {
		s.topics = f.c.s.broker.Watch() // taken before the look
		s.warmAll()
	}
	var topic *broker.Topic
	var err error
	var last fetchKey
	for i, p := range s.hot {
		if key := (fetchKey{name: p.name, id: p.id}); i == 0 || key != last {
			topic, err = f.topic(key)
			last = key
		}
		if !again && p.part != nil && p.fixed == nil && err == nil && p.topic == topic {
			continue
		}
		f.resolvePart(p, topic, err)
	}
}

func (f *fetchCall) resolvePart(p *fetchPart, topic *broker.Topic, err error) {
	p.topic, p.fixed = topic, err
	var part *logstore.Partition
	switch {
	case err != nil:
	case f.follower != nil:
		part, p.fixed = f.followerPartition(topic.Name, p.partition)
	default:
		part, p.fixed = f.c.s.broker.LeaderPartition(topic.Name, p.partition)
	}
	if p.watched != nil && p.watched != part {
		f.set.unwatch(p)
	}
	if p.part = part; f.set.watcher != nil {
		f.set.watch(p)
	}
}

// topic finds a topic that the client may read.
func (f *fetchCall) topic(key fetchKey) (*broker.Topic, error) {
	name := key.name
	if key.id != uuid.Nil {
		t := f.c.s.broker.TopicByID(key.id)
		if t == nil {
			return nil, kerr.UnknownTopicID
		}
		name = t.Name
	}
	if !f.c.authorize(acl.Read, acl.Topic, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	if f.req.Version >= 13 && key.id == uuid.Nil {
		return nil, kerr.UnknownTopicID
	}
	return f.c.s.broker.Topic(name)
}

// readError is what a client is told of a failed read. Damage that other replicas do not share is the disk's, and the client
// comes again; where there is no other replica, the records are lost, and the client must be told.
func (s *Server) readError(tp logstore.TopicPartition, role logstore.Role, err error) error {
	s.tellDamage(tp, err)
	if !damaged(err) {
		return err
	}
	if role.Replicated {
		return errors.Join(kerr.KafkaStorageError, err)
	}
	return errors.Join(kerr.CorruptMessage, err)
}
