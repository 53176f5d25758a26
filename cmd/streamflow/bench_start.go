package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchStart measures how quickly and how small things begin: a node, and the first row of an embedded one.
func benchStart(b *bench) error {
	if err := b.nodeStart(); err != nil {
		return err
	}
	return b.firstRow()
}

const starts = 5

func (b *bench) nodeStart() error {
	var fresh, again, rss []float64
	for i := range starts {
		dir := filepath.Join(b.dir, "start"+strconv.Itoa(i))
		for _, list := range []*[]float64{&fresh, &again} {
			ready, kib, err := startOnce(dir)
			if err != nil {
				return err
			}
			*list = append(*list, ready)
			rss = append(rss, kib/1024)
		}
	}
	b.print(result{Case: fmt.Sprintf("node ready, new directory, best of %d", starts), Value: quantile(fresh, 0), Unit: "ms"})
	b.print(result{Case: fmt.Sprintf("node ready, new directory, median of %d", starts), Value: quantile(fresh, 0.5), Unit: "ms"})
	b.print(result{Case: fmt.Sprintf("node ready, second start, best of %d", starts), Value: quantile(again, 0), Unit: "ms"})
	b.print(result{Case: fmt.Sprintf("node ready, second start, median of %d", starts), Value: quantile(again, 0.5), Unit: "ms"})
	b.print(result{Case: "idle memory (RSS half a second after ready), median", Value: quantile(rss, 0.5), Unit: "MiB"})
	return nil
}

// startOnce runs a node of its own process until it is ready, looks at its memory, and stops it.
func startOnce(dir string) (readyMs, rssKiB float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(self, "serve", "--data-dir", dir, "--kafka", "127.0.0.1:0", "--connect", "127.0.0.1:0", "--http", "127.0.0.1:0")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	readyMs = ms(time.Since(began))
	if err == nil {
		time.Sleep(500 * time.Millisecond)
		rssKiB, err = residentKiB(cmd.Process.Pid)
	} else {
		err = fmt.Errorf("the node did not start: %q %s", line, log.String())
	}
	return readyMs, rssKiB, errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
}

func residentKiB(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(b), "VmRSS:")
	f := strings.Fields(after)
	if len(f) == 0 {
		return 0, fmt.Errorf("no VmRSS of process %d", pid)
	}
	return strconv.ParseFloat(f[0], 64)
}

func (b *bench) firstRow() error {
	path := b.c.String("sfsubmit")
	if _, err := os.Stat(path); err != nil {
		slog.Warn("first row of sfsubmit is not measured: it is not built", "path", path)
		return nil
	}
	var took []float64
	for range 2 * starts {
		began := time.Now()
		if out, err := exec.Command(path, "sql", "-e", "select 1").CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", path, err, out)
		}
		took = append(took, ms(time.Since(began)))
	}
	b.print(result{Case: fmt.Sprintf(`sfsubmit sql -e "select 1", whole process, best of %d`, len(took)), Value: quantile(took, 0), Unit: "ms"})
	b.print(result{Case: fmt.Sprintf(`sfsubmit sql -e "select 1", whole process, median of %d`, len(took)), Value: quantile(took, 0.5), Unit: "ms"})
	return nil
}
