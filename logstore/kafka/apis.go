package kafka

import (
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// api is one row of the table of what is served.
type api struct {
	key      kmsg.Key
	min, max int16 // served
	handle   func(*call, kmsg.Request) (kmsg.Response, error)
}

// typed adapts a handler to its request's type.
func typed[R kmsg.Request](h func(*call, R) (kmsg.Response, error)) func(*call, kmsg.Request) (kmsg.Response, error) {
	return func(c *call, r kmsg.Request) (kmsg.Response, error) { return h(c, r.(R)) }
}

// apis is the table. Ranges end below versions that bring what we do not have.
var apis = []api{
	{kmsg.Produce, 3, 13, nil}, // in the reader
	{kmsg.Fetch, 4, 18, nil},   // writes its own response
	{kmsg.ListOffsets, 1, 11, typed((*call).listOffsets)},
	{kmsg.Metadata, 0, 13, typed((*call).metadata)},
	{kmsg.OffsetCommit, 2, 10, typed((*call).offsetCommit)},
	{kmsg.OffsetFetch, 1, 10, typed((*call).offsetFetch)},
	{kmsg.FindCoordinator, 0, 6, typed((*call).findCoordinator)},
	{kmsg.JoinGroup, 0, 9, typed((*call).joinGroup)},
	{kmsg.Heartbeat, 0, 4, typed((*call).heartbeat)},
	{kmsg.LeaveGroup, 0, 5, typed((*call).leaveGroup)},
	{kmsg.SyncGroup, 0, 5, typed((*call).syncGroup)},
	{kmsg.DescribeGroups, 0, 6, typed((*call).describeGroups)},
	{kmsg.ListGroups, 0, 5, typed((*call).listGroups)},
	{kmsg.SASLHandshake, 0, 1, typed((*call).saslHandshake)},
	{kmsg.CreateTopics, 2, 7, typed((*call).createTopics)},
	{kmsg.DeleteTopics, 1, 6, typed((*call).deleteTopics)},
	{kmsg.DeleteRecords, 0, 2, typed((*call).deleteRecords)},
	{kmsg.InitProducerID, 0, 5, typed((*call).initProducerID)},
	{kmsg.OffsetForLeaderEpoch, 2, 4, typed((*call).offsetForLeaderEpoch)},
	{kmsg.AddPartitionsToTxn, 0, 5, typed((*call).addPartitionsToTxn)},
	{kmsg.AddOffsetsToTxn, 0, 4, typed((*call).addOffsetsToTxn)},
	{kmsg.EndTxn, 0, 5, typed((*call).endTxn)},
	{kmsg.TxnOffsetCommit, 0, 6, typed((*call).txnOffsetCommit)},
	{kmsg.DescribeACLs, 1, 3, typed((*call).describeACLs)},
	{kmsg.CreateACLs, 1, 3, typed((*call).createACLs)},
	{kmsg.DeleteACLs, 1, 3, typed((*call).deleteACLs)},
	{kmsg.DescribeConfigs, 1, 4, typed((*call).describeConfigs)},
	{kmsg.AlterConfigs, 0, 2, typed((*call).alterConfigs)},
	{kmsg.SASLAuthenticate, 0, 2, typed((*call).saslAuthenticate)},
	{kmsg.AlterReplicaLogDirs, 0, 2, typed((*call).alterReplicaLogDirs)},
	{kmsg.DescribeLogDirs, 0, 5, typed((*call).describeLogDirs)},
	{kmsg.CreatePartitions, 0, 3, typed((*call).createPartitions)},
	{kmsg.DeleteGroups, 0, 3, typed((*call).deleteGroups)},
	{kmsg.IncrementalAlterConfigs, 0, 1, typed((*call).incrementalAlterConfigs)},
	{kmsg.OffsetDelete, 0, 0, typed((*call).offsetDelete)},
	{kmsg.DescribeClientQuotas, 0, 1, typed((*call).describeClientQuotas)},
	{kmsg.AlterClientQuotas, 0, 1, typed((*call).alterClientQuotas)},
	{kmsg.DescribeUserSCRAMCredentials, 0, 0, typed((*call).describeUserSCRAMCredentials)},
	{kmsg.AlterUserSCRAMCredentials, 0, 0, typed((*call).alterUserSCRAMCredentials)},
	{kmsg.UpdateFeatures, 0, 2, typed((*call).updateFeatures)},
	{kmsg.DescribeQuorum, 0, 2, typed((*call).describeQuorum)},
	{kmsg.ListConfigResources, 0, 1, typed((*call).listConfigResources)},
	{kmsg.DescribeCluster, 0, 2, typed((*call).describeCluster)},
	{kmsg.WriteTxnMarkers, 1, 2, typed((*call).writeTxnMarkers)},
	{kmsg.ElectLeaders, 0, 2, typed((*call).electLeaders)},
	{kmsg.AlterPartitionAssignments, 0, 1, typed((*call).alterPartitionReassignments)},
	{kmsg.ListPartitionReassignments, 0, 0, typed((*call).listPartitionReassignments)},
	{kmsg.UnregisterBroker, 0, 0, typed((*call).unregisterBroker)},
	{kmsg.DescribeProducers, 0, 0, typed((*call).describeProducers)},
	{kmsg.ConsumerGroupHeartbeat, 0, 1, typed((*call).consumerGroupHeartbeat)},
	{kmsg.ConsumerGroupDescribe, 0, 1, typed((*call).consumerGroupDescribe)},
	{kmsg.DescribeTransactions, 0, 0, typed((*call).describeTransactions)},
	{kmsg.ListTransactions, 0, 2, typed((*call).listTransactions)},
	{kmsg.DescribeTopicPartitions, 0, 0, typed((*call).describeTopicPartitions)},
	{kmsg.ShareGroupHeartbeat, 1, 1, typed((*call).shareGroupHeartbeat)},
	{kmsg.ShareGroupDescribe, 1, 1, typed((*call).shareGroupDescribe)},
	{kmsg.ShareFetch, 1, 2, typed((*call).shareFetch)},
	{kmsg.ShareAcknowledge, 1, 2, typed((*call).shareAcknowledge)},
	{kmsg.DescribeShareGroupOffsets, 0, 1, typed((*call).describeShareGroupOffsets)},
	{kmsg.AlterShareGroupOffsets, 0, 0, typed((*call).alterShareGroupOffsets)},
	{kmsg.DeleteShareGroupOffsets, 0, 0, typed((*call).deleteShareGroupOffsets)},
}

// apiVersionsMin and Max are those of ApiVersions itself, which is not in apis because it answers from it.
const apiVersionsMin, apiVersionsMax = 0, 5

var apisByKey = func() map[int16]*api {
	m := map[int16]*api{}
	for i := range apis {
		m[int16(apis[i].key)] = &apis[i]
	}
	m[int16(kmsg.ApiVersions)] = &api{kmsg.ApiVersions, apiVersionsMin, apiVersionsMax, typed((*call).apiVersions)}
	return m
}()

// lookup finds the row of a request; real Kafka closes the connection when there is none, and so do we.
func lookup(f *frame) (*api, error) {
	a := apisByKey[f.key]
	if a == nil {
		return nil, fmt.Errorf("unknown API key %d", f.key)
	}
	if f.version < a.min || f.version > a.max {
		return nil, fmt.Errorf("%s version %d, served are %d to %d", kmsg.NameForKey(f.key), f.version, a.min, a.max)
	}
	return a, nil
}

// API is an API that the server serves, and in which versions.
type API struct {
	Key      int16
	Name     string
	Min, Max int16
}

// APIs are what the server serves, by key; the documentation is made from them.
func APIs() []API {
	var out []API
	for _, k := range slices.Sorted(maps.Keys(apisByKey)) {
		out = append(out, API{Key: k, Name: kmsg.NameForKey(k), Min: apisByKey[k].min, Max: apisByKey[k].max})
	}
	return out
}
