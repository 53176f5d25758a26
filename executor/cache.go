package executor

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/rdd"
)

// cache holds fragments by hash, and for each partition the operator trees that no task is using. A tree that ran keeps
// its compiled expressions and buffers, so a resident task of the next micro-batch starts at once.
type cache struct {
	mu     sync.Mutex
	byHash map[string]*cached
}

type cached struct {
	fragment *rdd.Fragment
	refs     int // prepared jobs that use it
	idle     map[int][]*rdd.Node
}

func (c *cache) load(f *rdd.Fragment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byHash == nil {
		c.byHash = map[string]*cached{}
	}
	e := c.byHash[f.Hash]
	if e == nil {
		e = &cached{fragment: f, idle: map[int][]*rdd.Node{}}
		c.byHash[f.Hash] = e
	}
	e.refs++
}

func (c *cache) forget(hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byHash[hash]; e != nil {
		if e.refs--; e.refs == 0 {
			delete(c.byHash, hash)
		}
	}
}

// take returns an operator tree for the task's own use.
func (c *cache) take(hash string, partition int) (*rdd.Node, error) {
	c.mu.Lock()
	e := c.byHash[hash]
	if e == nil {
		c.mu.Unlock()
		return nil, fmt.Errorf("executor: fragment %s was not loaded", hash)
	}
	if list := e.idle[partition]; len(list) > 0 {
		n := list[len(list)-1]
		e.idle[partition] = list[:len(list)-1]
		c.mu.Unlock()
		return n, nil
	}
	c.mu.Unlock()
	return e.fragment.Decode()
}

// put takes a tree back after its task has succeeded.
func (c *cache) put(hash string, partition int, n *rdd.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byHash[hash]; e != nil {
		e.idle[partition] = append(e.idle[partition], n)
	}
}
