package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/internal/proctest"
)

// TestTxnCommands shows an open transaction with its owner and age, and aborts it: its producer is fenced, a reader goes on.
func TestTxnCommands(t *testing.T) {
	n := proctest.NewNode(t).Start()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n.Command("streamflow", "topic", "create", "t", "--partitions", "1").Must(t)
	cl := kafkaClient(t, n.Kafka, kgo.DefaultProduceTopic("t"), kgo.TransactionalID("payments"))
	defer cl.Close()
	if err := errors.Join(cl.BeginTransaction(), cl.ProduceSync(ctx, kgo.StringRecord("open")).FirstErr()); err != nil {
		t.Fatal(err)
	}
	var row struct {
		ID         string `json:"transactional_id"`
		State      string
		OpenFor    float64 `json:"open_for"`
		Partitions string
	}
	out := n.Command("streamflow", "txn", "describe", "payments", "--output", "json").Must(t).Stdout
	if err := json.Unmarshal([]byte(out), &row); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if row.ID != "payments" || row.State != "Ongoing" || row.Partitions != "t:0" || row.OpenFor < 0 || row.OpenFor > 30 {
		t.Errorf("describe shows %s", out)
	}
	if out := n.Command("streamflow", "txn", "list", "--state", "Ongoing", "--output", "json").Must(t).Stdout; !strings.Contains(out, `"transactional_id":"payments","state":"Ongoing"`) {
		t.Errorf("list shows %s", out)
	}
	if out := n.Command("streamflow", "txn", "list", "--older", "1h", "--output", "json").Must(t).Stdout; out != "" {
		t.Errorf("list --older 1h shows %s", out)
	}
	if out := n.Command("streamflow", "txn", "hanging", "--output", "json").Must(t).Stdout; out != "" {
		t.Errorf("hanging shows a transaction that its coordinator knows: %s", out)
	}

	n.Command("streamflow", "txn", "abort", "payments").Must(t)
	if err := cl.ProduceSync(ctx, kgo.StringRecord("late")).FirstErr(); !fenced(err) {
		t.Errorf("a fenced producer got %v", err)
	}
	adm := kadm.NewClient(kafkaClient(t, n.Kafka))
	defer adm.Close()
	for wait := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		stable, err := adm.ListCommittedOffsets(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		if stable["t"][0].Offset == 2 { // the record and the mark that aborts it
			break
		}
		if time.Now().After(wait) {
			t.Fatalf("the last stable offset stays at %d", stable["t"][0].Offset)
		}
	}
	if got := n.Command("streamflow", "consume", "t", "--end").Must(t).Stdout; got != "" {
		t.Errorf("a reader sees %q of an aborted transaction", got)
	}
	if r := n.Command("streamflow", "txn", "abort", "nobody").Run(t); r.Code != 1 || !strings.Contains(r.Stderr, "UNKNOWN_TRANSACTIONAL_ID") {
		t.Errorf("abort of an unknown id: code %d, %s", r.Code, r.Stderr)
	}
}

func fenced(err error) bool {
	return errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced)
}

// TestHangs is the judgement on a partition's open transaction.
func TestHangs(t *testing.T) {
	p := kadm.DescribedProducer{Topic: "t", Partition: 1, ProducerID: 7}
	has := kadm.DescribedTransaction{TxnID: "a", ProducerID: 7, Topics: kadm.TopicsSet{"t": {1: {}}}}
	other := kadm.DescribedTransaction{TxnID: "a", ProducerID: 7, Topics: kadm.TopicsSet{"t": {0: {}}}}
	for _, tc := range []struct {
		name  string
		d     kadm.DescribedTransaction
		known bool
		hangs bool
	}{{"its transaction has the partition", has, true, false}, {"its transaction does not", other, true, true}, {"nobody knows the producer", kadm.DescribedTransaction{}, false, true}} {
		if got := hangs(p, tc.d, tc.known); (got != "") != tc.hangs {
			t.Errorf("%s: %q", tc.name, fmt.Sprint(got))
		}
	}
}
