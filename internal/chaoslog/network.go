package chaoslog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
)

// network gives nodes their addresses, and can cut and slow the links between them.
type network interface {
	// node makes a node with its addresses.
	node(i int) *Node
	// cut drops everything that goes from one node to another; heal undoes all cuts and slowness.
	cut(from, to int) error
	// isolate drops everything that goes to and from a node, its clients' traffic too.
	isolate(i int) error
	// slow makes everything that leaves a node slow.
	slow(i int) error
	heal() error
	// links tells whether cut, isolate and slow do anything.
	links() bool
	close() error
}

func newNetwork(nodes int, links bool) (network, error) {
	if !links {
		return &loopback{}, nil
	}
	return newNamespaces(nodes)
}

// loopback is 127.0.0.1 with a port for each face of each node. Its links cannot be cut.
type loopback struct{ held []net.Listener }

func (l *loopback) node(int) *Node {
	return &Node{Kafka: l.port(), Peer: l.port(), http: l.port(), conn: l.port()}
}

// port finds a free port and keeps it until the first cluster is up: the kernel must not give it to a client meanwhile.
func (l *loopback) port() string {
	x, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer x.Close()
	return x.Addr().String()
}

func (*loopback) cut(int, int) error { return errors.ErrUnsupported }
func (*loopback) isolate(int) error  { return errors.ErrUnsupported }
func (*loopback) slow(int) error     { return errors.ErrUnsupported }
func (*loopback) heal() error        { return nil }
func (*loopback) links() bool        { return false }
func (*loopback) close() error       { return nil }

// namespaces is a network of its own for each node: a namespace with one interface on a common bridge. This process, where the
// clients are, stands on the bridge as .254.
//
//	10.77.N.1 ──┐
//	10.77.N.2 ──┼── bridge 10.77.N.254
//	10.77.N.3 ──┘
//
// A link from one node to another is cut by a route into nowhere.
type namespaces struct {
	name   string // of the bridge, and prefix of the namespaces
	subnet string
	nodes  int

	mu     sync.Mutex
	routes []string // the namespaces and destinations that are cut
	slowed map[int]bool
}

var networks atomic.Int64

func newNamespaces(nodes int) (network, error) {
	// Each network has names of its own: the kernel removes those of the one before some time after it was told to.
	id := os.Getpid() % 250
	n := &namespaces{name: fmt.Sprintf("sf%d.%d", os.Getpid()%10000, networks.Add(1)%1000), subnet: fmt.Sprintf("10.77.%d", id), nodes: nodes, slowed: map[int]bool{}}
	if err := n.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("networks of their own for the nodes (needs root and iproute2): %w", err), n.close())
	}
	return n, nil
}

func (n *namespaces) build() error {
	if err := run("ip link add %s type bridge", n.name); err != nil {
		return err
	}
	if err := run("ip addr add %s.254/24 dev %s", n.subnet, n.name); err != nil {
		return err
	}
	if err := run("ip link set %s up", n.name); err != nil {
		return err
	}
	for i := range n.nodes {
		ns, outer := n.ns(i), n.outer(i)
		for _, cmd := range []string{
			"ip netns add " + ns,
			fmt.Sprintf("ip link add %s type veth peer name eth0 netns %s", outer, ns),
			fmt.Sprintf("ip link set %s master %s up", outer, n.name),
			fmt.Sprintf("ip -n %s addr add %s/24 dev eth0", ns, n.ip(i)),
			fmt.Sprintf("ip -n %s link set eth0 up", ns),
			fmt.Sprintf("ip -n %s link set lo up", ns),
		} {
			if err := run("%s", cmd); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *namespaces) ns(i int) string    { return fmt.Sprintf("%s-%d", n.name, i+1) }
func (n *namespaces) outer(i int) string { return fmt.Sprintf("%s.%d", n.name, i+1) }
func (n *namespaces) ip(i int) string    { return fmt.Sprintf("%s.%d", n.subnet, i+1) }

func (n *namespaces) node(i int) *Node {
	ip := n.ip(i)
	return &Node{Kafka: ip + ":9092", Peer: ip + ":9093", http: ip + ":8080", conn: ip + ":15002", wrap: []string{"ip", "netns", "exec", n.ns(i)}}
}

func (n *namespaces) cut(from, to int) error { return n.blackhole(n.ns(from), n.ip(to)) }

func (n *namespaces) blackhole(ns, ip string) error {
	route := fmt.Sprintf("-n %s route %%s blackhole %s/32", ns, ip)
	if err := run("ip "+route, "replace"); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.routes = append(n.routes, route)
	return nil
}

func (n *namespaces) isolate(i int) error {
	for j := range n.nodes {
		if j != i {
			if err := errors.Join(n.cut(i, j), n.cut(j, i)); err != nil {
				return err
			}
		}
	}
	return n.blackhole(n.ns(i), n.subnet+".254")
}

// slow delays and loses packets where the kernel can (netem), and narrows the link to 4 Mbit/s where it cannot.
func (n *namespaces) slow(i int) error {
	n.mu.Lock()
	n.slowed[i] = true
	n.mu.Unlock()
	if run("tc -n %s qdisc replace dev eth0 root netem delay 40ms 20ms loss 2%%", n.ns(i)) == nil {
		return nil
	}
	return run("tc -n %s qdisc replace dev eth0 root tbf rate 4mbit burst 32kbit latency 100ms", n.ns(i))
}

func (n *namespaces) heal() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, r := range n.routes {
		_ = run("ip "+r, "del") // one that was cut twice is gone already
	}
	for i := range n.slowed {
		errs = append(errs, run("tc -n %s qdisc del dev eth0 root", n.ns(i)))
	}
	n.routes, n.slowed = nil, map[int]bool{}
	return errors.Join(errs...)
}

func (*namespaces) links() bool { return true }

func (n *namespaces) close() error {
	for i := range n.nodes {
		_ = run("ip netns del %s", n.ns(i)) // also after a build that stopped half way
	}
	return run("ip link del %s", n.name)
}

// run runs a command line of words without blanks.
func run(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	words := strings.Fields(line)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}
