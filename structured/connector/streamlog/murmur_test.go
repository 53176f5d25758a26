package streamlog

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A keyed row must go where Kafka's own clients would send it.
func TestPartitionForAgreesWithKafkaClients(t *testing.T) {
	p := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for i := range 2000 {
		key := []byte(fmt.Sprintf("key-%0*d", i%23, i))
		for _, n := range []int{1, 3, 4, 50} {
			if got, want := int(partitionFor(key, n)), p.Partition(&kgo.Record{Key: key}, n); got != want {
				t.Fatalf("key %q of %d partitions: got %d, want %d", key, n, got, want)
			}
		}
	}
}
