package chaoslog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Cluster is a number of nodes, each a process of its own.
type Cluster struct {
	Nodes []*Node
	net   network
	dir   string
}

// Node is one `streamflow serve`. Its addresses and its directory stay when it is killed and started again.
type Node struct {
	ID    int32
	Dir   string // the data directory
	Kafka string
	Peer  string
	http  string
	conn  string
	args  []string
	wrap  []string // the command that puts a process into the node's network, or nothing
	log   string

	mu     sync.Mutex
	cmd    *exec.Cmd
	done   chan struct{}
	paused bool
}

// ClusterOptions says what a cluster is made of.
type ClusterOptions struct {
	Program string // the streamflow binary
	Dir     string // for data and logs
	Nodes   int
	DiskMB  int  // of each node, on a file system of its own that can fill up; 0: a plain directory
	Links   bool // give each node a network of its own, whose links can be cut; wants root
	Args    []string
}

// NewCluster prepares nodes; Start starts them.
func NewCluster(o ClusterOptions) (*Cluster, error) {
	c := &Cluster{dir: o.Dir}
	var err error
	if c.net, err = newNetwork(o.Nodes, o.Links); err != nil {
		return nil, err
	}
	var voters []string
	for i := range o.Nodes {
		n := c.net.node(i)
		n.ID = int32(i + 1)
		n.Dir = filepath.Join(o.Dir, fmt.Sprintf("node%d", n.ID))
		n.log = filepath.Join(o.Dir, fmt.Sprintf("node%d.log", n.ID))
		if err := prepareDisk(n.Dir, o.DiskMB); err != nil {
			return nil, errors.Join(err, c.Close())
		}
		voters = append(voters, fmt.Sprintf("%d@%s", n.ID, n.Peer))
		c.Nodes = append(c.Nodes, n)
	}
	for _, n := range c.Nodes {
		n.args = []string{o.Program, "serve", "--data-dir", filepath.Join(n.Dir, "data"), "--kafka", n.Kafka, "--connect", n.conn, "--http", n.http, "--insecure"}
		if o.Nodes > 1 {
			n.args = append(n.args, "--node-id", fmt.Sprint(n.ID), "--peer", n.Peer, "--voters", strings.Join(voters, ","))
		}
		n.args = append(n.args, o.Args...)
	}
	return c, nil
}

// Seeds are the nodes' Kafka addresses.
func (c *Cluster) Seeds() (list []string) {
	for _, n := range c.Nodes {
		list = append(list, n.Kafka)
	}
	return list
}

// Start starts the nodes that do not run, and waits until each is ready.
func (c *Cluster) Start(ctx context.Context) error {
	errs := make(chan error, len(c.Nodes))
	for _, n := range c.Nodes {
		go func() { errs <- n.Start(ctx) }()
	}
	var all error
	for range c.Nodes {
		all = errors.Join(all, <-errs)
	}
	return all
}

// Close kills all nodes and removes their networks and disks. Logs and data in plain directories stay.
func (c *Cluster) Close() error {
	var err error
	for _, n := range c.Nodes {
		n.Kill()
		err = errors.Join(err, releaseDisk(n.Dir))
	}
	return errors.Join(err, c.net.close())
}

// Start starts the node if it does not run and waits for its ready line.
func (n *Node) Start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running() {
		return nil
	}
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	argv := append(append([]string{}, n.wrap...), n.args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("node %d: %w", n.ID, err)
	}
	ready, done := make(chan bool, 1), make(chan struct{})
	n.cmd, n.done, n.paused = cmd, done, false
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "ready ") {
				ready <- true
			}
		}
		_ = cmd.Wait()
		close(done)
	}()
	select {
	case <-ready:
		return nil
	case <-done:
		return fmt.Errorf("node %d ended before it was ready; see %s", n.ID, n.log)
	case <-ctx.Done():
		return fmt.Errorf("node %d was not ready in time; see %s", n.ID, n.log)
	}
}

// running wants n.mu.
func (n *Node) running() bool {
	if n.cmd == nil {
		return false
	}
	select {
	case <-n.done:
		return false
	default:
		return true
	}
}

// Kill ends the node with SIGKILL.
func (n *Node) Kill() { n.end(syscall.SIGKILL, 10*time.Second) }

// Stop asks the node to end and kills it if it does not.
func (n *Node) Stop() { n.end(syscall.SIGTERM, 30*time.Second) }

func (n *Node) end(sig syscall.Signal, wait time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return
	}
	if n.paused {
		_ = n.cmd.Process.Signal(syscall.SIGCONT)
	}
	_ = n.cmd.Process.Signal(sig)
	select {
	case <-n.done:
	case <-time.After(wait):
		_ = n.cmd.Process.Kill()
		<-n.done
	}
}

// Pause stops the process where it is; Continue lets it go on.
func (n *Node) Pause() { n.signal(syscall.SIGSTOP, true) }

// Continue undoes Pause.
func (n *Node) Continue() { n.signal(syscall.SIGCONT, false) }

func (n *Node) signal(sig syscall.Signal, paused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running() {
		n.paused = paused
		_ = n.cmd.Process.Signal(sig)
	}
}

// Alive tells whether the process runs, paused or not.
func (n *Node) Alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running()
}

// Memory is the process's resident set, in bytes; 0 when it does not run.
func (n *Node) Memory() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", n.cmd.Process.Pid))
	var size, resident int64
	if _, scanErr := fmt.Sscan(string(b), &size, &resident); err != nil || scanErr != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
