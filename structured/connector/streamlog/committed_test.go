package streamlog

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/tier"
)

// A changelog whose older records are in the cold tier only is replayed whole: what must be fetched is waited for.
func TestCommittedRecordsInTheColdTier(t *testing.T) {
	quiet, dir, ctx := slog.New(slog.DiscardHandler), t.TempDir(), context.Background()
	b, err := broker.Open(broker.Options{Dir: dir + "/data", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	cold, err := tier.Open(tier.Options{Store: tier.NewDir(vfs.OS, dir+"/store"), Dir: dir + "/local", Interval: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer cold.Close()
	b.UseTier(cold)
	if _, err := b.CreateTopic(ctx, "changes", 1, map[string]string{"remote.storage.enable": "true", "local.retention.ms": "0", "segment.bytes": "2000"}); err != nil {
		t.Fatal(err)
	}
	p, err := b.Partition("changes", 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	for i := range n {
		rb := record.NewBuilder(record.None)
		rb.Add(int64(i), nil, fmt.Appendf(nil, "change number %d", i))
		batch, err := rb.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Append(logstore.AppendRequest{Data: batch}).Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if err := cold.Round(ctx); err != nil {
			t.Fatal(err)
		}
		if p.LocalStart() > n/2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if p.LocalStart() <= n/2 {
		t.Fatalf("local start %d", p.LocalStart())
	}
	r, got := newCommittedRecords(p, 0, n), 0
	for ; r.next(); got++ {
		if want := fmt.Sprintf("change number %d", got); string(r.record().Value) != want {
			t.Fatalf("record %d is %q", got, r.record().Value)
		}
	}
	if r.err != nil || got != n {
		t.Fatalf("%d records, want %d: %v", got, n, r.err)
	}
}
