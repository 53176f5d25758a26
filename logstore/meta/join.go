package meta

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/raft"
)

// joinTimeout bounds one request to be let in.
const joinTimeout = 5 * time.Second

// joinGroup asks members to let this node in, or to note its new address, until the log says so.
func (n *Node) joinGroup() {
	const every = 500 * time.Millisecond
	n.pause(every / 10) // a member that restarts learns most from its own log
	var told complaint
	for n.ctx.Err() == nil && !n.isMember() {
		for _, addr := range n.doors() {
			err := n.knock(addr)
			if err == nil {
				break
			}
			told.warn(n, addr, err)
		}
		n.pause(every)
	}
}

// isMember reports whether the log has this node where it is. A voter of the first start is in the log from its start on.
func (n *Node) isMember() bool {
	for _, s := range n.group.book.members() {
		if s.ID == serverID(n.opts.Self.ID) && string(s.Address) == n.opts.Self.Addr {
			return true
		}
	}
	return false
}

// doors are the addresses at which to ask.
func (n *Node) doors() []string {
	list := append([]string(nil), n.opts.Join...)
	for _, v := range n.opts.Voters {
		if v.ID != n.opts.Self.ID {
			list = append(list, v.Addr)
		}
	}
	return list
}

// knock asks one member, which need not lead.
func (n *Node) knock(addr string) error {
	c := change{Add: &n.opts.Self, Voter: n.opts.votes()}
	if c.Voter && n.raft.State() == raft.Leader {
		return n.changeAsLeader(n.ctx, c)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(n.ctx, joinTimeout)
	defer cancel()
	if _, err := n.group.pool.Call(ctx, addr, kindChange, body); err != nil {
		return err
	}
	n.opts.Logger.Info("meta: let into the group", "node", n.opts.Self.ID, "by", addr)
	return nil
}

// complaint is what was last said about not being let in; the same is not said again for a while.
type complaint struct {
	text string
	at   time.Time
}

func (c *complaint) warn(n *Node, addr string, err error) {
	if n.ctx.Err() != nil || c.text == err.Error() && time.Since(c.at) < 10*time.Second {
		return
	}
	c.text, c.at = err.Error(), time.Now()
	n.opts.Logger.Warn("meta: not let into the group yet", "node", n.opts.Self.ID, "asked", addr, "error", err)
}
