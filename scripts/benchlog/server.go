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
)

// server is one that speaks Kafka's protocol.
type server struct {
	name  string
	what  string // for the table
	skip  string // why it cannot be run here
	setup func(dir, addr string) ([]*exec.Cmd, error)
	start func(dir, addr string) *exec.Cmd
}

// partitions of the topics that are measured.
const partitions = 6

func servers(o options) []server {
	kafka := func(name, what, extra string) server {
		s := server{name: name, what: what, skip: o.skip}
		if o.jars == "" && s.skip == "" {
			s.skip = "--kafka-jars is not given"
		}
		s.setup = func(dir, addr string) ([]*exec.Cmd, error) { return formatKafka(o, dir, addr, extra) }
		s.start = func(dir, _ string) *exec.Cmd {
			// The flags of Kafka's own start script.
			return java(o, "-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
				"kafka.Kafka", filepath.Join(dir, "server.properties"))
		}
		return s
	}
	return []server{
		{name: "streamflow", what: "StreamFlow, fsync before ack", start: func(dir, addr string) *exec.Cmd {
			return exec.Command(o.program, "serve", "--data-dir", filepath.Join(dir, "data"), "--kafka", addr, "--connect", "127.0.0.1:0", "--http", "127.0.0.1:0")
		}},
		kafka("kafka-fsync", "Kafka, fsync before ack", "log.flush.interval.messages=1\n"),
		kafka("kafka", "Kafka, no fsync (its default)", ""),
	}
}

func java(o options, args ...string) *exec.Cmd {
	return exec.Command("java", append([]string{"-cp", filepath.Join(o.jars, "*"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}, args...)...)
}

// formatKafka writes the configuration of one node that is broker and controller, and prepares its directory.
func formatKafka(o options, dir, addr, extra string) ([]*exec.Cmd, error) {
	controller, err := freeAddr()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "server.properties")
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[1]s
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[1]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[3]s
num.partitions=%[4]d
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
%[5]s`, controller, addr, filepath.Join(dir, "data"), partitions, extra)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return []*exec.Cmd{java(o, "kafka.tools.StorageTool", "format", "-t", "c3RyZWFtZmxvdy1iZW5jaA", "-c", path)}, nil
}

// process is a server that runs.
type process struct {
	cmd   *exec.Cmd
	addr  string
	dir   string
	ready time.Duration // from its start to its first answer
	ended chan error
}

// launch starts a server with an empty directory and waits until it answers.
func launch(ctx context.Context, o options, s server) (*process, error) {
	dir := filepath.Join(o.dir, s.name)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(o.dir, s.name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if s.setup != nil {
		steps, err := s.setup(dir, addr)
		if err != nil {
			return nil, err
		}
		for _, cmd := range steps {
			cmd.Stdout, cmd.Stderr = log, log
			if err := cmd.Run(); err != nil {
				return nil, fmt.Errorf("prepare: %w; its log is %s", err, log.Name())
			}
		}
	}
	p := &process{cmd: s.start(dir, addr), addr: addr, dir: dir, ended: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	if err := p.await(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w; its log is %s", err, log.Name())
	}
	p.ready = time.Since(began)
	return p, nil
}

// await asks until somebody answers.
func (p *process) await(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.addr), kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }))
	if err != nil {
		return err
	}
	defer cl.Close()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-p.ended:
			return fmt.Errorf("it ended: %w", err)
		default:
		}
		try, cancel := context.WithTimeout(ctx, time.Second)
		err := cl.Ping(try)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.New("it does not answer")
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.cmd.Process.Kill()
		<-p.ended
	}
	os.RemoveAll(p.dir)
}

// usage is what a process has taken.
type usage struct {
	cpu  float64 // seconds, of all its life
	rss  int64   // bytes now
	peak int64
}

func (p *process) usage() usage {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return u
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	if f := strings.Fields(rest); len(f) > 13 {
		user, _ := strconv.ParseFloat(f[11], 64)
		system, _ := strconv.ParseFloat(f[12], 64)
		u.cpu = (user + system) / 100 // USER_HZ
	}
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return u
	}
	defer status.Close()
	for in := bufio.NewScanner(status); in.Scan(); {
		name, value, _ := strings.Cut(in.Text(), ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			u.rss = kib << 10
		case "VmHWM":
			u.peak = kib << 10
		}
	}
	return u
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
