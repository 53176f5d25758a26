package doctest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A block under <!-- doctest: nodes --> starts the nodes of a cluster: each of its commands is "streamflow serve … & NAME=$!". They
// run until the document ends, and the blocks after it know them by name. Each 127.0.0.1:PORT in it becomes a free port, for the
// whole document.

var (
	serveLine = regexp.MustCompile(`(?s)^(streamflow serve .*) & (\w+)=\$!$`)
	localAddr = regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`)
)

func (n *node) serveNodes(t *testing.T, file string, b *block) {
	t.Helper()
	n.started = true
	for _, addr := range localAddr.FindAllString(b.script(), -1) {
		if n.real[addr] == "" {
			n.real[addr] = freeAddr(t)
		}
	}
	var ready sync.WaitGroup
	for _, command := range strings.Split(strings.ReplaceAll(strings.TrimSpace(b.script()), "\\\n", ""), "\n") {
		m := serveLine.FindStringSubmatch(command)
		if m == nil {
			n.exports += "export " + n.toReal(command) + "\n" // a variable that the next ones use
			continue
		}
		cmd := n.startNode(t, m[1], m[2], &ready)
		n.exports += "export " + m[2] + "=" + cmd + "\n"
	}
	ready.Wait()
	if t.Failed() {
		t.Fatalf("%s:%d: the cluster does not run", file, b.line)
	}
}

// startNode starts a node as a process of its own and returns its id. ready is done when it has said that it is.
func (n *node) startNode(t *testing.T, command, name string, ready *sync.WaitGroup) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", n.exports+"exec "+n.toReal(command))
	cmd.Dir, cmd.Env = root, n.env()
	log, err := os.Create(filepath.Join(n.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() }) // the last of a cluster waits for a majority
		_ = cmd.Wait()
		kill.Stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the log of %s:\n%s", name, text)
		}
	})
	ready.Go(func() {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Errorf("%s: %v", command, err)
		} else if !strings.HasPrefix(line, "ready ") {
			t.Errorf("%s: %s", command, line)
		}
	})
	return strconv.Itoa(cmd.Process.Pid)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))) // none that an outgoing connection is given
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}
