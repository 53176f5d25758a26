package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cluster is the nodes under test, each a process with a directory of its own.
type cluster struct {
	dir   string
	kafka []string // addresses
	procs []*process
}

// process is a node that was started. It is waited for at once, so that who stops it sees it go.
type process struct {
	*os.Process
	ended chan error
}

// startCluster starts n nodes with empty directories and waits until all are ready.
func startCluster(ctx context.Context, program, dir string, n int, s suite) (*cluster, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	c := &cluster{dir: dir}
	ports, err := freePorts(2 * n)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	copy(ports, s.ports)
	var voters []string
	for i := range n {
		c.kafka = append(c.kafka, fmt.Sprintf("127.0.0.1:%d", ports[i]))
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[n+i]))
	}
	var lines []*bufio.Scanner
	for i := range n {
		args := []string{"serve", "--kafka", c.kafka[i], "--connect", "127.0.0.1:0", "--http", "127.0.0.1:0"}
		if n > 1 {
			_, peer, _ := strings.Cut(voters[i], "@")
			args = append(args, "--node-id", fmt.Sprint(i+1), "--peer", peer, "--voters", strings.Join(voters, ","))
		}
		env := append([]string{fmt.Sprintf("STREAMFLOW_CLUSTER_RACK=r%d", i+1)}, s.env...)
		if i < len(s.told) {
			env = append(env, fmt.Sprintf("STREAMFLOW_NETWORK_ADVERTISED_KAFKA=127.0.0.1:%d", s.told[i]))
		}
		out, err := c.start(program, i+1, args, env)
		if err != nil {
			c.stop()
			return nil, err
		}
		lines = append(lines, out)
	}
	for i, out := range lines {
		if err := awaitReady(ctx, out); err != nil {
			c.stop()
			return nil, fmt.Errorf("cluster: node %d: %w; its log is %s", i+1, err, c.log(i+1))
		}
	}
	return c, nil
}

func (c *cluster) log(i int) string { return filepath.Join(c.dir, fmt.Sprintf("node-%d.log", i)) }

func (c *cluster) start(program string, i int, args, env []string) (*bufio.Scanner, error) {
	data := filepath.Join(c.dir, fmt.Sprintf("node-%d", i))
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	log, err := os.Create(c.log(i))
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(program, append(args, "--data-dir", data)...)
	cmd.Stderr, cmd.Env = log, append(os.Environ(), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	p := &process{cmd.Process, make(chan error, 1)}
	go func() { p.ended <- cmd.Wait() }()
	c.procs = append(c.procs, p)
	return bufio.NewScanner(out), errors.Join(c.note(i, "pid", fmt.Sprintln(cmd.Process.Pid)), c.note(i, "start", startScript(cmd, env)))
}

// note writes a file about a node, for suites that stop and start nodes themselves (docker/docker).
func (c *cluster) note(i int, what, text string) error {
	return os.WriteFile(filepath.Join(c.dir, fmt.Sprintf("node-%d.%s", i, what)), []byte(text), 0o644)
}

// startScript starts a node again as it was started.
func startScript(cmd *exec.Cmd, env []string) string {
	words := []string{"exec", "env"}
	for _, w := range append(append([]string{}, env...), cmd.Args...) {
		words = append(words, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ") + "\n"
}

// replaced is the process that a suite has started in a node's place, or nil.
func (c *cluster) replaced(i int) *os.Process {
	b, err := os.ReadFile(filepath.Join(c.dir, fmt.Sprintf("node-%d.pid", i+1)))
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid == c.procs[i].Pid {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil
	}
	return p
}

func awaitReady(ctx context.Context, out *bufio.Scanner) error {
	ready := make(chan error, 1)
	go func() {
		if out.Scan() && strings.HasPrefix(out.Text(), "ready ") {
			ready <- nil
			return
		}
		ready <- fmt.Errorf("it ended, or said %q", out.Text())
	}()
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return errors.New("it was not ready within 30 s")
	}
}

// stop ends the nodes and tells whether one of them had ended by itself.
func (c *cluster) stop() error {
	var all error
	for i, p := range c.procs {
		if other := c.replaced(i); other != nil {
			all = errors.Join(all, other.Signal(syscall.SIGTERM))
		} else if err := p.Signal(syscall.SIGTERM); err != nil {
			all = errors.Join(all, fmt.Errorf("node %d had ended before the suite; its log is %s", i+1, c.log(i+1)))
		}
	}
	for i, p := range c.procs {
		kill := time.AfterFunc(30*time.Second, func() { p.Kill() })
		if err := <-p.ended; err != nil && c.replaced(i) == nil {
			all = errors.Join(all, fmt.Errorf("node %d: %w; its log is %s", i+1, err, c.log(i+1)))
		}
		kill.Stop()
	}
	return all
}

// apis asks what the nodes serve: KEY:MAX, space separated.
func (c *cluster) apis(ctx context.Context) (string, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.kafka...))
	if err != nil {
		return "", fmt.Errorf("cluster: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, cl)
	if err != nil {
		return "", fmt.Errorf("cluster: %w", err)
	}
	var list []string
	for _, k := range res.ApiKeys {
		list = append(list, fmt.Sprintf("%d:%d", k.ApiKey, k.MaxVersion))
	}
	return strings.Join(list, " "), nil
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
