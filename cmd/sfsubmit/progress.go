package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/structured"
)

// The progress line is drawn on standard error, when that is a terminal, and wiped before anything else is printed.
var line struct {
	mu    sync.Mutex
	shown bool
	last  time.Time
}

// progress draws a bar of the tasks done; nil where nobody would see it.
func progress(*cli.Context) func(structured.Progress) {
	if !term.IsTerminal(os.Stderr) {
		return nil
	}
	return func(p structured.Progress) {
		var done, all, rows int64
		for _, s := range p.Stages {
			done, all, rows = done+s.Completed, all+s.Tasks, rows+s.RowsRead
		}
		if all > 0 {
			draw(fmt.Sprintf("%s %d/%d tasks, %d rows read", bar(done, all), done, all, rows))
		}
	}
}

func bar(done, all int64) string {
	const width = 24
	n := int(done * width / all)
	return "[" + strings.Repeat("█", n) + strings.Repeat("·", width-n) + "]"
}

func draw(text string) {
	line.mu.Lock()
	defer line.mu.Unlock()
	if time.Since(line.last) < 50*time.Millisecond {
		return
	}
	line.last, line.shown = time.Now(), true
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s", text)
}

// clearProgress wipes the line.
func clearProgress() {
	line.mu.Lock()
	defer line.mu.Unlock()
	if line.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		line.shown = false
	}
}
