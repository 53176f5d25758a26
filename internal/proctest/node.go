package proctest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Node is a `streamflow serve` with its data directory. It may be killed and started any number of times; its addresses
// stay.
type Node struct {
	t       testing.TB
	Dir     string // holds data/ and node.log
	Kafka   string
	Connect string
	HTTP    string
	Env     []string // KEY=VALUE of the next start
	Args    []string // further arguments of serve

	proc *process
}

// process is one life of a node.
type process struct {
	cmd   *exec.Cmd
	ready chan error    // the ready line has come, or will not
	done  chan struct{} // the process has ended
}

// NewNode is a node that has not been started. It is killed when the test ends, and its log is printed if the test failed.
func NewNode(t testing.TB) *Node {
	n := &Node{t: t, Dir: t.TempDir(), Kafka: FreePort(t), Connect: FreePort(t), HTTP: FreePort(t)}
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("end of the node's log:\n%s", tail(n.Log(), 8000))
		}
	})
	return n
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// DataDir is the node's --data-dir.
func (n *Node) DataDir() string { return filepath.Join(n.Dir, "data") }

// Log is what the node has written to standard error in all its lives.
func (n *Node) Log() string {
	b, _ := os.ReadFile(filepath.Join(n.Dir, "node.log")) // no log yet is an empty one
	return string(b)
}

// Start starts the node and waits for its ready line.
func (n *Node) Start() *Node {
	n.t.Helper()
	n.Launch()
	if err := n.AwaitReady(20 * time.Second); err != nil {
		n.t.Fatalf("%v\nlog:\n%s", err, tail(n.Log(), 8000))
	}
	return n
}

// Launch starts the node and does not wait.
func (n *Node) Launch() {
	n.t.Helper()
	log, err := os.OpenFile(filepath.Join(n.Dir, "node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	args := append([]string{"serve", "--data-dir", n.DataDir(), "--kafka", n.Kafka, "--connect", n.Connect, "--http", n.HTTP}, n.Args...)
	cmd := exec.Command(Program(n.t, "streamflow"), args...)
	cmd.Stderr, cmd.Env = log, append(CleanEnv(), n.Env...)
	dieWithParent(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	p := &process{cmd: cmd, ready: make(chan error, 1), done: make(chan struct{})}
	n.proc = p
	go p.watch(bufio.NewScanner(out))
}

// watch reads standard output to its end, then waits for the process.
func (p *process) watch(lines *bufio.Scanner) {
	said := false
	for lines.Scan() {
		if !said && strings.HasPrefix(lines.Text(), "ready ") {
			said = true
			p.ready <- nil
		}
	}
	err := p.cmd.Wait()
	if !said {
		p.ready <- fmt.Errorf("the node ended before it was ready: %v", err)
	}
	close(p.done)
}

// AwaitReady waits for the ready line of a node that was launched.
func (n *Node) AwaitReady(timeout time.Duration) error {
	select {
	case err := <-n.proc.ready:
		return err
	case <-time.After(timeout):
		return fmt.Errorf("the node is not ready after %v", timeout)
	}
}

// Kill ends the node by SIGKILL. A node that does not run is left alone.
func (n *Node) Kill() {
	if n.proc == nil {
		return
	}
	_ = n.proc.cmd.Process.Kill() // it may have ended by itself
	<-n.proc.done
	n.proc = nil
}

// Stop ends the node by SIGTERM and returns its exit code. The test fails when it does not end in time.
func (n *Node) Stop() int {
	n.t.Helper()
	if err := n.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Fatal(err)
	}
	return n.Wait(20 * time.Second)
}

// Wait waits for the node to end by itself and returns its exit code.
func (n *Node) Wait(timeout time.Duration) int {
	n.t.Helper()
	select {
	case <-n.proc.done:
	case <-time.After(timeout):
		n.t.Fatalf("the node has not ended after %v\nlog:\n%s", timeout, tail(n.Log(), 8000))
	}
	code := n.proc.cmd.ProcessState.ExitCode()
	n.proc = nil
	return code
}

// Pid is the process id of the running node.
func (n *Node) Pid() int { return n.proc.cmd.Process.Pid }

// Command is a call of a program that talks to this node.
func (n *Node) Command(program string, args ...string) Command {
	return Command{Program: program, Args: args, Env: []string{"STREAMFLOW_KAFKA=" + n.Kafka, "STREAMFLOW_SERVER=" + n.Connect}}
}

// SQL runs statements on the node and returns the JSON rows that they print.
func (n *Node) SQL(text string) string {
	n.t.Helper()
	return n.Command("sfsubmit", "sql", "-e", text, "--output", "json").Must(n.t).Stdout
}
