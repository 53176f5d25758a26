package meta

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

// Questions that meta itself asks; other packages' kinds do not begin with "meta.".
const (
	kindApply     = "meta.apply"      // an entry; no answer
	kindReadIndex = "meta.read_index" // the answer is an index, uvarint
	kindChange    = "meta.change"     // a change as JSON; no answer
	kindTransfer  = "meta.transfer"   // a node id, uvarint, or nothing; no answer
)

// RegisterError gives a sentinel a name by which it crosses the wire: errors.Is finds it in what Call returns on another
// node, and in what Apply returns when the outcome came with a snapshot. Every node must register the same, in an init.
func RegisterError(code string, err error) { rpc.Register(code, err) }

// Call asks a node; its Handler for kind answers. The question is sent once: after ErrUnreachable the node has not seen it,
// after any other failure of the connection it may have.
func (n *Node) Call(ctx context.Context, node int32, kind string, body []byte) ([]byte, error) {
	if n.ctx.Err() != nil {
		return nil, ErrClosed
	}
	if node == n.opts.Self.ID {
		return n.answer(ctx, node, kind, body)
	}
	return n.ask(ctx, node, kind, body)
}

// CallLeader asks the leader. While there is none, or it cannot be reached, it waits until ctx ends, Timing.Apply at most.
func (n *Node) CallLeader(ctx context.Context, kind string, body []byte) (out []byte, err error) {
	err = n.withLeader(ctx, func(ctx context.Context, leader int32) error {
		out, err = n.Call(ctx, leader, kind, body)
		return err
	})
	return out, err
}

// withLeader does something that needs the leader, and does it again when it did not reach one.
func (n *Node) withLeader(ctx context.Context, do func(ctx context.Context, leader int32) error) error {
	ctx, cancel := context.WithTimeout(ctx, n.opts.Timing.Apply)
	defer cancel()
	var last error
	for {
		leader, known, changed := n.leader.now()
		if known {
			err := do(ctx, leader)
			if !nothingDone(err) {
				return err
			}
			last = err
		}
		select {
		case <-changed:
		case <-n.after(known):
		case <-ctx.Done():
			return noLeader(ctx, last)
		case <-n.ctx.Done():
			return ErrClosed
		}
	}
}

// after is when to ask a leader again that did not answer; without a leader there is no such time.
func (n *Node) after(known bool) <-chan time.Time {
	if !known {
		return nil
	}
	return time.After(retryPause)
}

func noLeader(ctx context.Context, last error) error {
	if last == nil {
		return fmt.Errorf("%w: %w", ErrNoLeader, ctx.Err())
	}
	return fmt.Errorf("%w: %w: %w", ErrNoLeader, ctx.Err(), last)
}

// ask sends a question to another node.
func (n *Node) ask(ctx context.Context, node int32, kind string, body []byte) ([]byte, error) {
	if n.group == nil {
		return nil, fmt.Errorf("%w: node %d: this node is alone", ErrUnreachable, node)
	}
	addr, ok := n.group.book.find(node)
	if !ok {
		return nil, fmt.Errorf("%w: node %d is not in the group", ErrUnreachable, node)
	}
	return n.group.pool.Call(ctx, addr, kind, body)
}

// handle answers other nodes.
func (n *Node) handle(ctx context.Context, from int32, kind string, body []byte) ([]byte, error) {
	switch kind {
	case kindApply:
		return nil, n.proposeFor(ctx, from, body)
	case kindReadIndex:
		index, err := n.readIndex(ctx)
		return binary.AppendUvarint(nil, index), err
	case kindChange:
		var c change
		if err := json.Unmarshal(body, &c); err != nil {
			return nil, fmt.Errorf("meta: change: %w", err)
		}
		return nil, n.changeHere(ctx, c)
	case kindTransfer:
		return nil, n.transferHere(ctx, body)
	}
	return n.answer(ctx, from, kind, body)
}

// answer runs the handler of a question that another package asks.
func (n *Node) answer(ctx context.Context, from int32, kind string, body []byte) ([]byte, error) {
	h := n.opts.Handlers[kind]
	if h == nil {
		return nil, fmt.Errorf("meta: node %d: %w: %q", n.opts.Self.ID, rpc.ErrNoAnswer, kind)
	}
	return h(ctx, from, body)
}

// proposeFor appends another node's entry.
func (n *Node) proposeFor(ctx context.Context, from int32, entry []byte) error {
	e, err := decodeEntry(entry)
	if err != nil {
		return fmt.Errorf("meta: entry of node %d: %w", from, err)
	}
	if !e.stamped || e.at.node != from {
		return fmt.Errorf("meta: entry of node %d: its stamp says node %d", from, e.at.node)
	}
	return n.proposeEntry(ctx, entry)
}

// pause waits a little, or until the node closes.
func (n *Node) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-n.ctx.Done():
	}
}
