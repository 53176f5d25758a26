package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/logstore"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openBroker(t testing.TB, dir string) *Broker {
	t.Helper()
	b, err := Open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func createTopic(t testing.TB, b *Broker, name string, parts int32, configs map[string]string) *Topic {
	t.Helper()
	topic, err := b.CreateTopic(context.Background(), name, parts, configs)
	if err != nil {
		t.Fatal(err)
	}
	return topic
}

// batch is a record batch v2 with one record.
func batch(pid int64, epoch int16, seq int32, txn bool) []byte {
	rec := []byte{0, 0, 0, 1, 2, 'v', 0}
	body := binary.BigEndian.AppendUint16(nil, map[bool]uint16{true: 0x10}[txn])
	body = binary.BigEndian.AppendUint32(body, 0)
	body = binary.BigEndian.AppendUint64(body, 1)
	body = binary.BigEndian.AppendUint64(body, 1)
	body = binary.BigEndian.AppendUint64(body, uint64(pid))
	body = binary.BigEndian.AppendUint16(body, uint16(epoch))
	body = binary.BigEndian.AppendUint32(body, uint32(seq))
	body = binary.BigEndian.AppendUint32(body, 1)
	body = append(body, byte(len(rec)<<1))
	body = append(body, rec...)
	b := binary.BigEndian.AppendUint32(make([]byte, 8), uint32(9+len(body)))
	b = append(b, 0, 0, 0, 0, 2)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, body...)
}

func appendTo(t testing.TB, b *Broker, topic string, data []byte) logstore.AppendResult {
	t.Helper()
	p, err := b.Partition(topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Append(logstore.AppendRequest{Data: data}).Wait(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func offsets(t testing.TB, b *Broker, topic string) logstore.Offsets {
	t.Helper()
	p, err := b.Partition(topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p.Offsets()
}

func TestTopicsComeBack(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	made := createTopic(t, b, "orders", 3, map[string]string{"retention.ms": "5"})
	appendTo(t, b, "orders", batch(-1, -1, -1, false))
	if err := b.CommitOffsets(context.Background(), "g", []GroupOffset{{"orders", 0, CommittedOffset{Offset: 1}}}); err != nil {
		t.Fatal(err)
	}
	first, err := b.NextProducerID(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBroker(t, dir)
	topic, err := b.Topic("orders")
	if err != nil || topic.ID != made.ID || topic.Partitions != 3 || topic.Config("retention.ms") != "5" {
		t.Errorf("%+v %v", topic, err)
	}
	if o := offsets(t, b, "orders"); o.HighWatermark != 1 {
		t.Errorf("%+v", o)
	}
	if o, ok := b.FetchOffset("g", "orders", 0); !ok || o.Offset != 1 {
		t.Errorf("%+v %v", o, ok)
	}
	if next, err := b.NextProducerID(context.Background()); err != nil || next <= first {
		t.Errorf("producer id %d after %d, %v", next, first, err)
	}
}

func TestUnknownTopicNamesTheNearest(t *testing.T) {
	b := openBroker(t, t.TempDir())
	createTopic(t, b, "flights", 1, nil)
	_, err := b.Topic("flight")
	if err == nil || !strings.Contains(err.Error(), `[UNKNOWN_TOPIC]`) || !strings.Contains(err.Error(), `Did you mean "flights"?`) {
		t.Errorf("%v", err)
	}
	if _, err = b.Partition("flights", 7); userCode(err) != CodeUnknownPart {
		t.Errorf("%v", err)
	}
}

// A crash between a deletion's metadata and its files: opening finishes it, and the name begins anew.
func TestInterruptedDeletionIsFinished(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	createTopic(t, b, "t", 1, nil)
	appendTo(t, b, "t", batch(-1, -1, -1, false))
	if err := b.CommitOffsets(context.Background(), "g", []GroupOffset{{"t", 0, CommittedOffset{Offset: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.applyTopic(context.Background(), topicCommand{Delete: "t"}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b = openBroker(t, dir)
	if got := b.topics.pendingDeletes(); len(got) != 0 {
		t.Errorf("deletions that wait: %v", got)
	}
	createTopic(t, b, "t", 1, nil)
	if o := offsets(t, b, "t"); o.End != 0 {
		t.Errorf("a new topic begins at %+v", o)
	}
	if _, ok := b.FetchOffset("g", "t", 0); ok {
		t.Error("an offset of the old topic is there")
	}
}

// A crash between a creation's metadata and its partitions: opening makes them.
func TestInterruptedCreationIsFinished(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	topic, _, err := b.newTopic(NewTopic{Name: "t", Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.applyTopic(context.Background(), topicCommand{Create: topic}); err != nil {
		t.Fatal(err)
	}
	b.Close()
	appendTo(t, openBroker(t, dir), "t", batch(-1, -1, -1, false))
}

// A client that asks for a topic and goes away: the topic is there, and so are its partitions.
func TestAbandonedCreationIsUsable(t *testing.T) {
	b := openBroker(t, t.TempDir())
	topic, _, err := b.newTopic(NewTopic{Name: "t", Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.applyTopic(context.Background(), topicCommand{Create: topic}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, b, "t", batch(-1, -1, -1, false))
}

func TestAlterationReachesPartitions(t *testing.T) {
	b := openBroker(t, t.TempDir())
	createTopic(t, b, "t", 1, nil)
	watch := b.Watch()
	if err := b.AlterConfigs(context.Background(), "t", map[string]string{"streamflow.sealed": "true"}, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-watch:
	default:
		t.Error("a change was not announced")
	}
	p, _ := b.Partition("t", 0)
	if _, err := p.Append(logstore.AppendRequest{Data: batch(-1, -1, -1, false)}).Wait(context.Background()); err == nil {
		t.Error("a sealed topic took a batch")
	}
	if err := b.AlterConfigs(context.Background(), "t", nil, []string{"streamflow.sealed"}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, b, "t", batch(-1, -1, -1, false))
}

// openTxn begins a transaction and writes one record in it.
func openTxn(t *testing.T, b *Broker, id string) *Txn {
	t.Helper()
	ctx := context.Background()
	txn, err := b.InitTxn(ctx, id, 60_000, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.AddToTxn(ctx, id, txn.ProducerID, txn.Epoch, []TxnPlace{{"t", 0}}); err != nil {
		t.Fatal(err)
	}
	writeInTxn(t, b, txn, 0)
	return txn
}

func writeInTxn(t *testing.T, b *Broker, txn *Txn, seq int32) {
	t.Helper()
	p, err := b.AppendInTxn(txn.ID, txn.ProducerID, txn.Epoch, "t", 0, batch(txn.ProducerID, txn.Epoch, seq, true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// aborted is whether a committed read is told to drop the producer's records.
func aborted(t *testing.T, b *Broker, pid int64) bool {
	t.Helper()
	p, err := b.Partition("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Read(0, 1<<20, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Aborted {
		if a.ProducerID == pid {
			return true
		}
	}
	return false
}

// Markers are not synced: whatever a crash leaves of them, a decided transaction ends as it was decided.
func TestMarkersAreWrittenAgain(t *testing.T) {
	for _, commit := range []bool{true, false} {
		for _, stage := range []string{"decided", "completed"} {
			t.Run(fmt.Sprintf("commit=%v/%s", commit, stage), func(t *testing.T) {
				dir := t.TempDir()
				b := openBroker(t, dir)
				createTopic(t, b, "t", 1, nil)
				txn := openTxn(t, b, "x")
				end := offsets(t, b, "t").End
				ctx := context.Background()
				cmd := txnCommand{Op: txnEnd, ID: "x", ProducerID: txn.ProducerID, Epoch: txn.Epoch, Commit: commit}
				if _, err := b.applyTxn(ctx, cmd); err != nil {
					t.Fatal(err)
				}
				if stage == "completed" { // the log forgot the marker, metadata has gone on
					topic, _ := b.Topic("t")
					cmd = txnCommand{Op: txnComplete, ID: "x", ProducerID: txn.ProducerID, Epoch: txn.Epoch,
						Markers: []TxnMarker{{TxnPlace{"t", 0}, topic.ID, end + 1}}}
					if _, err := b.applyTxn(ctx, cmd); err != nil {
						t.Fatal(err)
					}
				}
				b.Close()
				b = openBroker(t, dir)
				if o := offsets(t, b, "t"); o.LastStable != o.HighWatermark || o.End != end+1 {
					t.Errorf("%+v: the marker is missing", o)
				}
				if got := aborted(t, b, txn.ProducerID); got == commit {
					t.Errorf("commit=%v, aborted=%v", commit, got)
				}
				if got := b.Txn("x"); got.State != TxnEmpty {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

// A transaction that was opened after the markers of the one before is not ended by their repetition.
func TestRepeatedMarkersSpareTheNextTransaction(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir)
	createTopic(t, b, "t", 1, nil)
	ctx := context.Background()
	txn := openTxn(t, b, "x")
	if err := b.EndTxn(ctx, "x", txn.ProducerID, txn.Epoch, true); err != nil {
		t.Fatal(err)
	}
	if err := b.AddToTxn(ctx, "x", txn.ProducerID, txn.Epoch, []TxnPlace{{"t", 0}}); err != nil {
		t.Fatal(err)
	}
	writeInTxn(t, b, txn, 1)
	b.Close()
	b = openBroker(t, dir)
	if o := offsets(t, b, "t"); o.LastStable == o.HighWatermark {
		t.Errorf("%+v: the open transaction was ended", o)
	}
	if err := b.EndTxn(ctx, "x", txn.ProducerID, txn.Epoch, false); err != nil {
		t.Fatal(err)
	}
	if !aborted(t, b, txn.ProducerID) {
		t.Error("the second transaction is not aborted")
	}
}

// A client that is gone when its decision takes effect leaves no transaction that is decided and never ended.
func TestDecisionOfAClientThatIsGone(t *testing.T) {
	b := openBroker(t, t.TempDir())
	createTopic(t, b, "t", 1, nil)
	txn := openTxn(t, b, "x")
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = b.EndTxn(gone, "x", txn.ProducerID, txn.Epoch, true) // nobody hears the answer
	if o := offsets(t, b, "t"); o.LastStable != o.HighWatermark || b.Txn("x").State != TxnEmpty {
		t.Errorf("%+v, %+v", o, b.Txn("x"))
	}
}

func BenchmarkOpen80Partitions(b *testing.B) {
	dir := b.TempDir()
	br := openBroker(b, dir)
	for i := range 20 {
		createTopic(b, br, fmt.Sprintf("t%d", i), 4, nil)
	}
	br.Close()
	for b.Loop() {
		openBroker(b, dir).Close()
	}
}

func BenchmarkCommitOffsets(b *testing.B) {
	br := openBroker(b, b.TempDir())
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := br.CommitOffsets(context.Background(), "g", []GroupOffset{{"t", 0, CommittedOffset{Offset: 1}}}); err != nil {
				b.Error(err)
			}
		}
	})
}
