package doctest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/config"
)

// buildPrograms builds both programs once.
func buildPrograms(t *testing.T) string {
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-o", bin+"/", "./cmd/streamflow", "./cmd/sfsubmit")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// node is the node of one document and the shell that its commands run in.
type node struct {
	bin, dir string
	exports  string            // of the blocks so far
	real     map[string]string // what documents show -> what it is here
	started  bool
}

func newNode(t *testing.T, bin string) *node {
	dir := t.TempDir()
	return &node{bin: bin, dir: dir, real: map[string]string{"/tmp/tour": filepath.Join(dir, "tour")}}
}

const blockTimeout = 60 * time.Second

// run runs a block; ran is false when it was skipped or is none that runs.
func (n *node) run(t *testing.T, file string, b *block) (out string, ran bool) {
	t.Helper()
	if !n.wanted(t, file, b) {
		return "", false
	}
	if b.lang == "yaml" {
		n.checkConfig(t, file, b)
		return "", false
	}
	if _, serve := b.directive("serve"); serve {
		return n.serve(t, strings.TrimSuffix(strings.TrimSpace(b.script()), "&")), true
	}
	if _, nodes := b.directive("nodes"); nodes {
		n.serveNodes(t, file, b)
		return "", true
	}
	if _, alone := b.directive("alone"); !n.started && !alone {
		n.serve(t, "streamflow serve --data-dir /tmp/tour/data")
		n.exports += "export STREAMFLOW_SERVER=" + n.real["127.0.0.1:15002"] + "\n"
	}
	out, err := n.shell(n.command(t, b))
	if err != nil {
		t.Errorf("%s:%d: %v\n%s", file, b.line, err, out)
		return "", false
	}
	for _, l := range strings.Split(b.script(), "\n") {
		if strings.HasPrefix(l, "export ") {
			n.exports += n.toReal(l) + "\n"
		}
	}
	return n.toShown(out), true
}

// wanted reports whether a block runs, here and at all.
func (n *node) wanted(t *testing.T, file string, b *block) bool {
	switch b.lang {
	case "console", "sh", "sql", "yaml":
	case "python":
		if python() == "" {
			t.Logf("%s:%d: skipped: no PySpark with Spark Connect (STREAMFLOW_PYTHON may name a Python that has it)", file, b.line)
			return false
		}
	case "go":
		if len(b.lines) == 0 || b.lines[0] != "package main" {
			return false
		}
	default:
		return false
	}
	if _, skip := b.directive("skip"); skip {
		return false
	}
	if program, needs := b.directive("needs"); needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("%s:%d: skipped: %s is not installed", file, b.line, program)
			return false
		}
	}
	return true
}

// python is the Python that has PySpark, "" when there is none.
func python() string {
	p := os.Getenv("STREAMFLOW_PYTHON")
	if p == "" {
		p = "python3"
	}
	if exec.Command(p, "-c", "import pyspark.sql.connect.session").Run() != nil {
		return ""
	}
	return p
}

// command is the shell command that runs a block.
func (n *node) command(t *testing.T, b *block) string {
	text := n.toReal(b.script())
	write := func(name string) string {
		path := filepath.Join(n.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	switch b.lang {
	case "sql":
		return "sfsubmit sql -f " + write("block.sql")
	case "python":
		return python() + " " + write("block.py")
	case "go":
		return "go run " + write("block.go")
	}
	return text
}

func (n *node) env() []string {
	env := append(os.Environ(), "PATH="+n.bin+":"+os.Getenv("PATH"), "CGO_ENABLED=0", "STREAMFLOW_NETWORK_KAFKA=127.0.0.1:0", "STREAMFLOW_NETWORK_CONNECT=127.0.0.1:0",
		"STREAMFLOW_NETWORK_HTTP=127.0.0.1:0", "STREAMFLOW_PROCESSING_PARALLELISM_DEFAULT=2", "STREAMFLOW_SERVER=", "STREAMFLOW_KAFKA="+n.real["127.0.0.1:9092"])
	return env
}

// shell runs a script from the root of the repository and returns both its outputs.
func (n *node) shell(script string) (string, error) {
	cmd := exec.Command("bash", "-c", "set -e -o pipefail\n"+n.exports+script)
	cmd.Dir, cmd.Env = root, n.env()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	group := cmd.Process.Pid
	timer := time.AfterFunc(blockTimeout, func() { _ = syscall.Kill(-group, syscall.SIGKILL) })
	err := cmd.Wait()
	_ = syscall.Kill(-group, syscall.SIGKILL) // what it left behind
	if !timer.Stop() {
		err = fmt.Errorf("not done after %v", blockTimeout)
	}
	return out.String(), err
}

// serve starts the node by the command that a document shows and returns its ready line.
func (n *node) serve(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", "exec "+n.toReal(command))
	cmd.Dir, cmd.Env = root, n.env()
	log, err := os.Create(filepath.Join(n.dir, "node.log"))
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
		if err := cmd.Wait(); err != nil {
			t.Errorf("the node: %v", err)
		}
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("the node's log:\n%s", b)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b, _ := os.ReadFile(log.Name())
		t.Fatalf("%s: %v\n%s", command, err, b)
	}
	go func() { _, _ = out.Read(make([]byte, 1<<16)) }()
	for _, f := range strings.Fields(line)[1:] {
		face, addr, _ := strings.Cut(f, "=")
		n.real[map[string]string{"kafka": "127.0.0.1:9092", "connect": "127.0.0.1:15002", "http": "127.0.0.1:8080"}[face]] = addr
	}
	n.started = true
	return n.toShown(line)
}

func (n *node) toReal(s string) string {
	s = strings.NewReplacer("localhost:15002", "127.0.0.1:15002", "localhost:9092", "127.0.0.1:9092", "localhost:8080", "127.0.0.1:8080").Replace(s)
	for shown, real := range n.real {
		s = strings.ReplaceAll(s, shown, real)
	}
	return s
}

func (n *node) toShown(s string) string {
	for shown, real := range n.real {
		s = strings.ReplaceAll(s, real, shown)
	}
	return s
}

func (n *node) checkConfig(t *testing.T, file string, b *block) {
	path := filepath.Join(n.dir, "streamflow.yaml")
	if err := os.WriteFile(path, []byte(b.script()), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path, nil); err != nil {
		t.Errorf("%s:%d: %v", file, b.line, err)
	}
}
