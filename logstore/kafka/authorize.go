package kafka

import (
	"math"
	"sync"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Principal is who a connection speaks for.
type Principal = acl.Principal

// identity is what a connection may do: who it is, where from, and what has been asked already. Reader and writer both ask.
type identity struct {
	mu       sync.Mutex
	who      Principal
	host     string
	internal bool // another node of the cluster: may do everything
	seen     map[question]answer
	version  uint64 // of the rules that seen was answered by
}

// question is one that a connection asks again and again.
type question struct {
	op   acl.Operation
	typ  acl.ResourceType
	name string
}

// maxSeen is how many answers a connection keeps.
const maxSeen = 1024

// principal is who the connection speaks for.
func (c *conn) principal() Principal {
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	return c.id.who
}

// become changes who the connection speaks for.
func (c *conn) become(who Principal) {
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	c.id.who, c.id.seen = who, nil
}

// answer is whether a question was answered with yes, and whether a no has been logged.
type answer struct{ ok, told bool }

// authorize says whether the connection may do op with a resource. Without an authorizer everybody may do everything, and
// other nodes of the cluster may in any case. A refusal is logged, the first of each kind on a connection.
func (c *conn) authorize(op acl.Operation, typ acl.ResourceType, name string) bool {
	key := kmsg.Fetch
	if op == acl.Write {
		key = kmsg.Produce
	}
	return c.authorizeFor(int16(key), op, typ, name)
}

// authorizeFor is authorize for a request of any kind.
func (c *conn) authorizeFor(key int16, op acl.Operation, typ acl.ResourceType, name string) bool {
	if c.mayQuietly(op, typ, name) {
		return true
	}
	if who, fresh := c.tellOnce(question{op, typ, name}); fresh {
		c.s.events.warn("access refused", "principal", who, "host", c.id.host, "api", kmsg.NameForKey(key), "operation", op, "resource", typ, "name", name)
	}
	return false
}

// tellOnce notes that a refusal has been told; fresh when it had not been.
func (c *conn) tellOnce(q question) (who Principal, fresh bool) {
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	a := c.id.seen[q]
	fresh = !a.told
	a.told = true
	if c.id.seen != nil {
		c.id.seen[q] = a
	}
	return c.id.who, fresh
}

// mayQuietly is authorize for answers that are filtered: what is left out is not an attempt to reach it.
func (c *conn) mayQuietly(op acl.Operation, typ acl.ResourceType, name string) bool {
	a := c.s.opts.Authorizer
	if a == nil || c.id.internal {
		return true
	}
	c.id.mu.Lock()
	defer c.id.mu.Unlock()
	if v := a.Version(); v != c.id.version || len(c.id.seen) >= maxSeen || c.id.seen == nil {
		c.id.version, c.id.seen = v, map[question]answer{}
	}
	q := question{op, typ, name}
	known, found := c.id.seen[q]
	if !found {
		known = answer{ok: a.Allowed(c.id.who, c.id.host, op, typ, name)}
		c.id.seen[q] = known
	}
	return known.ok
}

// authorizeAny says whether there is a resource of the type with which the connection may do op.
func (c *conn) authorizeAny(op acl.Operation, typ acl.ResourceType) bool {
	a := c.s.opts.Authorizer
	return a == nil || c.id.internal || a.AllowedOnAny(c.principal(), c.id.host, op, typ)
}

// principal, authorize, mayQuietly and authorizeAny are those of the call's connection. Every handler asks before it looks:
//
//	if !c.authorize(acl.Read, acl.Topic, name) { … kerr.TopicAuthorizationFailed }
func (c *call) principal() Principal { return c.conn.principal() }

func (c *call) authorize(op acl.Operation, typ acl.ResourceType, name string) bool {
	return c.conn.authorizeFor(c.key, op, typ, name)
}

func (c *call) mayQuietly(op acl.Operation, typ acl.ResourceType, name string) bool {
	return c.conn.mayQuietly(op, typ, name)
}

func (c *call) authorizeAny(op acl.Operation, typ acl.ResourceType) bool {
	return c.conn.authorizeAny(op, typ)
}

// authorizeCluster is authorize for the cluster itself.
func (c *call) authorizeCluster(op acl.Operation) bool {
	return c.authorize(op, acl.Cluster, acl.ClusterName)
}

// noOperations is what a response says when the request did not ask for the authorized operations.
const noOperations = math.MinInt32

// operations is the bit field of what the connection may do with a resource, for requests that ask for it.
func (c *call) operations(asked bool, typ acl.ResourceType, name string) int32 {
	if !asked {
		return noOperations
	}
	a := c.opts.Authorizer
	if a == nil || c.conn.id.internal {
		var bits int32
		for _, op := range typ.Operations() {
			bits |= 1 << op
		}
		return bits
	}
	return a.Operations(c.principal(), c.conn.id.host, typ, name)
}
