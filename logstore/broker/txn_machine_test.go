package broker

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
)

// step applies a command and returns the transaction after it.
func step(t *testing.T, m *txnMachine, c txnCommand, want error) *Txn {
	t.Helper()
	out, err := run(t, m, c)
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", c.Op, err, want)
	}
	if err != nil {
		return nil
	}
	txn := new(Txn)
	if err := json.Unmarshal(out, txn); err != nil {
		t.Fatal(err)
	}
	return txn
}

func TestTxnMachineCommit(t *testing.T) {
	offsets := newOffsetsMachine()
	m := newTxnMachine(offsets)
	who := func(op txnOp) txnCommand { return txnCommand{Op: op, ID: "x", ProducerID: 7} }
	init := txnCommand{Op: txnInit, ID: "x", ProducerID: -1, Epoch: -1, FreshID: 7, TimeoutMs: 1000}
	step(t, m, who(txnAdd), ErrTxnMapping)
	step(t, m, init, nil)
	step(t, m, who(txnEnd), ErrTxnState)

	add := who(txnAdd)
	add.Partitions = []TxnPlace{{"b", 0}, {"a", 1}, {"a", 0}}
	if txn := step(t, m, add, nil); txn.State != TxnOngoing || !txn.Has(TxnPlace{"a", 1}) || txn.Has(TxnPlace{"a", 2}) {
		t.Errorf("%+v", txn)
	}
	off := who(txnOffsets)
	off.Group, off.Offsets = "g", []GroupOffset{{"in", 0, CommittedOffset{Offset: 5}}}
	step(t, m, off, ErrTxnState) // the group was not announced
	group := who(txnGroup)
	group.Group = "g"
	step(t, m, group, nil)
	step(t, m, off, nil)
	if _, ok := offsets.get("g", "in", 0); ok {
		t.Error("offsets are visible before the commit")
	}
	copied(t, m, newTxnMachine(offsets))
	end := who(txnEnd)
	end.Commit = true
	if txn := step(t, m, end, nil); txn.State != TxnPrepareCommit || len(txn.Partitions) != 3 {
		t.Errorf("%+v", txn)
	}
	if o, ok := offsets.get("g", "in", 0); !ok || o.Offset != 5 {
		t.Error("offsets are not visible with the decision")
	}
	step(t, m, add, ErrTxnConcurrent)
	step(t, m, end, ErrTxnConcurrent)
	step(t, m, init, ErrTxnConcurrent)
	complete := who(txnComplete)
	complete.Markers = []TxnMarker{{TxnPlace: TxnPlace{"a", 0}, End: 9}}
	if txn := step(t, m, complete, nil); txn.State != TxnEmpty || len(txn.Partitions) != 0 || txn.Ended.Places[0].End != 9 {
		t.Errorf("%+v", txn)
	}
	step(t, m, end, nil) // a retry
	end.Commit = false
	step(t, m, end, ErrTxnState) // not a retry
	copied(t, m, newTxnMachine(offsets))
}

func TestTxnMachineFencing(t *testing.T) {
	offsets := newOffsetsMachine()
	m := newTxnMachine(offsets)
	init := txnCommand{Op: txnInit, ID: "x", ProducerID: -1, Epoch: -1, FreshID: 7, TimeoutMs: 1000}
	step(t, m, init, nil)
	add := txnCommand{Op: txnAdd, ID: "x", ProducerID: 7, Partitions: []TxnPlace{{"a", 0}}}
	step(t, m, add, nil)
	// A second producer takes the id: the open transaction is aborted under a higher epoch, the first one is fenced.
	if txn := step(t, m, init, nil); txn.State != TxnPrepareAbort || txn.Epoch != 1 {
		t.Errorf("%+v", txn)
	}
	step(t, m, txnCommand{Op: txnEnd, ID: "x", ProducerID: 7, Commit: true}, ErrProducerFenced)
	step(t, m, txnCommand{Op: txnComplete, ID: "x", ProducerID: 7, Epoch: 1}, nil)
	if txn := step(t, m, init, nil); txn.State != TxnEmpty || txn.Epoch != 2 || txn.ProducerID != 7 {
		t.Errorf("%+v", txn)
	}
	step(t, m, add, ErrProducerFenced)
	stale := init
	stale.ProducerID, stale.Epoch = 7, 1
	step(t, m, stale, ErrProducerFenced)
	// Expiry fences too.
	add.Epoch = 2
	step(t, m, add, nil)
	if txn := step(t, m, txnCommand{Op: txnExpire, ID: "x", ProducerID: 7, Epoch: 2}, nil); txn.State != TxnPrepareAbort || txn.Epoch != 3 {
		t.Errorf("%+v", txn)
	}
	step(t, m, txnCommand{Op: txnComplete, ID: "x", ProducerID: 7, Epoch: 3}, nil)
	// Epochs that are used up bring a new producer id.
	m.txns["x"] = &Txn{ID: "x", ProducerID: 7, Epoch: math.MaxInt16 - 2, State: TxnEmpty}
	init.FreshID = 8
	if txn := step(t, m, init, nil); txn.ProducerID != 8 || txn.Epoch != 0 {
		t.Errorf("%+v", txn)
	}
}

// TestTxnMachineBumps is KIP-890: the epoch grows with each end, a lost answer is given again, and an abort of nothing is one.
func TestTxnMachineBumps(t *testing.T) {
	m := newTxnMachine(newOffsetsMachine())
	who := func(op txnOp, epoch int16) txnCommand {
		return txnCommand{Op: op, ID: "x", ProducerID: 7, Epoch: epoch, Bump: op == txnEnd, FreshID: 8}
	}
	commit := func(epoch int16) txnCommand { c := who(txnEnd, epoch); c.Commit = true; return c }
	step(t, m, txnCommand{Op: txnInit, ID: "x", ProducerID: -1, Epoch: -1, FreshID: 7, TimeoutMs: 1000}, nil)
	add := func(epoch int16) txnCommand {
		c := who(txnAdd, epoch)
		c.Partitions = []TxnPlace{{"a", 0}}
		return c
	}
	step(t, m, commit(0), ErrTxnState) // there is nothing to commit
	step(t, m, add(0), nil)
	if txn := step(t, m, commit(0), nil); txn.State != TxnPrepareCommit || txn.Epoch != 1 || !txn.Bumped {
		t.Errorf("%+v, want the markers under epoch 1", txn)
	}
	step(t, m, commit(0), ErrTxnConcurrent) // its answer was lost, and the markers are not written
	step(t, m, who(txnComplete, 1), nil)
	copied(t, m, newTxnMachine(newOffsetsMachine()))
	if txn := step(t, m, commit(0), nil); txn.State != TxnEmpty || txn.Epoch != 1 {
		t.Errorf("again: %+v, want the same answer", txn)
	}
	step(t, m, who(txnEnd, 0), ErrProducerFenced) // it was a commit
	step(t, m, add(0), ErrProducerFenced)         // late, of the transaction before
	step(t, m, commit(1), ErrTxnState)            // the next one has nothing in it
	if txn := step(t, m, who(txnEnd, 1), nil); txn.State != TxnPrepareAbort || txn.Epoch != 2 {
		t.Errorf("abort of nothing: %+v", txn)
	}
	step(t, m, who(txnComplete, 2), nil)

	step(t, m, add(2), nil) // a transaction that runs out of time fences its producer for good
	expire := who(txnExpire, 2)
	expire.Bump = false
	step(t, m, expire, nil)
	step(t, m, who(txnComplete, 3), nil)
	step(t, m, who(txnEnd, 2), ErrProducerFenced)

	m.txns["x"].Epoch = math.MaxInt16 - 2
	step(t, m, add(math.MaxInt16-2), nil)
	if txn := step(t, m, commit(math.MaxInt16-2), nil); txn.Epoch != math.MaxInt16-1 || txn.ProducerID != 7 {
		t.Errorf("the last epoch is for the markers: %+v", txn)
	}
	if txn := step(t, m, who(txnComplete, math.MaxInt16-1), nil); txn.ProducerID != 8 || txn.Epoch != 0 || txn.Ended.producer(txn) != 7 {
		t.Errorf("used up: %+v, want the fresh producer id", txn)
	}
	if txn := step(t, m, commit(math.MaxInt16-2), nil); txn.ProducerID != 8 || txn.Epoch != 0 {
		t.Errorf("again: %+v", txn)
	}
}
