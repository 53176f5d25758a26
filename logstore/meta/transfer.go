package meta

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

var errNoSuccessor = errors.New("meta: no other voter answers")

// TransferLeadership hands leadership to a voter; to < 0 leaves the choice to the leader.
func (n *Node) TransferLeadership(ctx context.Context, to int32) error {
	if n.group == nil {
		return errAlone
	}
	var body []byte
	if to >= 0 {
		body = binary.AppendUvarint(nil, uint64(to))
	}
	return n.withLeader(ctx, func(ctx context.Context, leader int32) error {
		if leader == n.opts.Self.ID {
			return n.transferHere(ctx, body)
		}
		_, err := n.ask(ctx, leader, kindTransfer, body)
		return err
	})
}

// transferHere hands over the leadership that this node has.
func (n *Node) transferHere(ctx context.Context, body []byte) error {
	if n.raft.State() != raft.Leader {
		return ErrNotLeader
	}
	to := int32(-1)
	if len(body) > 0 {
		id, _, err := uvarint(body)
		if err != nil {
			return fmt.Errorf("meta: transfer: %w", err)
		}
		to = int32(id)
	}
	if to == n.opts.Self.ID {
		return nil
	}
	next, err := n.successor(ctx, to)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- n.raft.LeadershipTransferToServer(next.ID, next.Address).Error() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// successor is a voter that answers now. Left to itself raft may choose one that is gone, and does not let go of it.
func (n *Node) successor(ctx context.Context, to int32) (raft.Server, error) {
	term, ready := n.leader.isReady()
	if !ready {
		return raft.Server{}, ErrNotLeader
	}
	voters := n.voters()
	found, silent, asked := make(chan raft.Server, 1), make(chan struct{}, len(voters)), 0
	for _, s := range voters {
		if s.ID == serverID(n.opts.Self.ID) || to >= 0 && s.ID != serverID(to) {
			continue
		}
		asked++
		n.group.spawn(func() {
			if err := n.group.transport.NetworkTransport.AppendEntries(s.ID, s.Address, n.heartbeat(term), &raft.AppendEntriesResponse{}); err != nil {
				silent <- struct{}{}
				return
			}
			select {
			case found <- s:
			default:
			}
		})
	}
	for ; asked > 0; asked-- {
		select {
		case s := <-found:
			return s, nil
		case <-silent:
		case <-ctx.Done():
			return raft.Server{}, ctx.Err()
		}
	}
	return raft.Server{}, errNoSuccessor
}

// handOverPatience bounds how long a leader that closes waits for its successor.
const handOverPatience = 3 * time.Second

// handOver gives leadership away before the node closes, so that the others need not find out.
func (n *Node) handOver() {
	if n.group == nil || n.raft.State() != raft.Leader || len(n.voters()) < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOverPatience)
	defer cancel()
	if err := n.transferHere(ctx, nil); err != nil {
		n.opts.Logger.Info("meta: leadership not handed over", "node", n.opts.Self.ID, "error", err)
	}
}
