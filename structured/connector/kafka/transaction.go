package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamflow/streamflow/internal/usererr"
)

// transaction is what a sink's token names: enough for any process to end it.
type transaction struct {
	ID       string `json:"id"`
	Producer int64  `json:"producer"`
	Epoch    int16  `json:"epoch"`
}

// commit ends the transaction well. One that has been committed already stays so.
func (t transaction) commit(ctx context.Context, adm *admin) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	done, err := t.committed(ctx, adm)
	if err != nil || done {
		return err
	}
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = t.ID, t.Producer, t.Epoch, true
	res, err := adm.requests.Request(ctx, req)
	if err != nil {
		return fmt.Errorf("kafka: end of transaction %s: %w", t.ID, err)
	}
	if err := kerr.ErrorForCode(res.(*kmsg.EndTxnResponse).ErrorCode); err != nil {
		return fmt.Errorf("kafka: end of transaction %s: %w", t.ID, err)
	}
	return nil
}

// committed looks at the transaction: whether it is committed, or will be. It is an error that it was aborted: its rows are
// gone, though the batch is true.
func (t transaction) committed(ctx context.Context, adm *admin) (bool, error) {
	all, err := adm.DescribeTransactions(ctx, t.ID)
	if err != nil {
		return false, fmt.Errorf("kafka: state of transaction %s: %w", t.ID, err)
	}
	d := all[t.ID]
	switch {
	case errors.Is(d.Err, kerr.TransactionalIDNotFound): // forgotten by the cluster, a week after it was ended
		return true, nil
	case d.Err != nil:
		return false, fmt.Errorf("kafka: state of transaction %s: %w", t.ID, d.Err)
	case d.State == "Ongoing" && d.ProducerID == t.Producer && d.ProducerEpoch == t.Epoch:
		return false, nil
	case d.State == "CompleteCommit" || d.State == "PrepareCommit":
		return true, nil
	}
	return false, usererr.New("KAFKA_TRANSACTION_LOST", "25P02", "The transaction %s, whose rows belong to a committed batch, is gone: the cluster aborted it (state %s) before the node could end it.", t.ID, d.State).
		WithFix("Set kafka.transaction.timeout.ms above the longest time for which the node is away; the query's sink lacks this batch, so start it anew into another topic.")
}

// abortAll ends the open transactions whose ids have a prefix.
func abortAll(ctx context.Context, adm *admin, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	open, err := adm.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return fmt.Errorf("kafka: list of transactions: %w", err)
	}
	for _, t := range open {
		if !strings.HasPrefix(t.TxnID, prefix) {
			continue
		}
		if err := abort(ctx, adm, t.TxnID); err != nil {
			return fmt.Errorf("kafka: abort of transaction %s: %w", t.TxnID, err)
		}
	}
	return nil
}

// abort has the cluster abort what an id has open, by asking for its next epoch. The old one's writers are fenced by it.
func abort(ctx context.Context, adm *admin, id string) error {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = kmsg.StringPtr(id), 60_000
	for {
		res, err := adm.requests.Request(ctx, req)
		if err != nil {
			return err
		}
		err = kerr.ErrorForCode(res.(*kmsg.InitProducerIDResponse).ErrorCode)
		if errors.Is(err, kerr.ConcurrentTransactions) && ctx.Err() == nil { // the abort is under way
			time.Sleep(20 * time.Millisecond)
			continue
		}
		return err
	}
}
