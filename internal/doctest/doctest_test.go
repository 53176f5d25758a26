// Package doctest runs what the documentation shows: every command block of README.md, ARCHITECTURE.md and docs/guide, each
// file against a node of its own, and compares the output.
//
//	```console   "$ command" lines (continued by "> "), then what they print, to both outputs
//	```sh        a script; what it prints is not compared
//	```sql       statements for sfsubmit sql
//	```python    a script for PySpark; skipped without it
//	```go        a program (package main) for go run
//	```yaml      a node's configuration
//
// In shown output … stands for any text within a line, and a line of … alone for any lines. A comment before a block says
// more: <!-- doctest: skip WHY -->, <!-- doctest: alone --> (it wants no node), <!-- doctest: needs PROGRAM -->, <!-- doctest: unordered -->, <!-- doctest: serve --> for
// the block whose command is the node of the file, <!-- doctest: nodes --> for one whose commands are the nodes of a cluster, and <!-- doctest: output --> for a block of text that is what the block
// before it printed.
//
// The node listens on free ports, runs two tasks at once and works in a temporary directory; commands and outputs are rewritten between those and
// what the documents show: 127.0.0.1:9092, 127.0.0.1:15002, 127.0.0.1:8080 and /tmp/tour.
//
//	go test ./internal/doctest -run TestDocs/README -update    writes the real output where it differs
package doctest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/kafka"
)

var update = flag.Bool("update", false, "write real outputs into the documents")

const root = "../.."

func TestDocs(t *testing.T) {
	bin := buildPrograms(t)
	files := []string{"README.md", "ARCHITECTURE.md"}
	guide, err := filepath.Glob(filepath.Join(root, "docs/guide/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guide {
		files = append(files, "docs/guide/"+filepath.Base(g))
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".md"), func(t *testing.T) { runFile(t, bin, f) })
	}
}

// runFile runs the blocks of a document in order.
func runFile(t *testing.T, bin, name string) {
	path := filepath.Join(root, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := parse(string(text))
	n := newNode(t, bin)
	got, ran := "", false
	for _, b := range d.blocks {
		_, output := b.directive("output")
		if !output {
			got, ran = n.run(t, name, b)
		}
		if !ran || b.lang != "console" && !output {
			continue
		}
		want := b.output()
		if matches(want, got, b.unordered()) {
			continue
		}
		if *update {
			d.replace(b, got)
			continue
		}
		t.Errorf("%s:%d: the output differs\n--- shown\n%s--- real\n%s", name, b.line, want, got)
	}
	if *update && d.changed {
		if err := os.WriteFile(path, []byte(d.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConfiguration keeps docs/guide/configuration.md equal to the table of settings.
func TestConfiguration(t *testing.T) {
	path := filepath.Join(root, "docs/guide/configuration.md")
	want := configuration(config.Settings)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/guide/configuration.md is not what internal/config says; go test ./internal/doctest -run TestConfiguration -update")
	}
}

// TestTopicConfigs keeps the table in docs/guide/topics.md equal to the broker's.
func TestTopicConfigs(t *testing.T) {
	section(t, "docs/guide/topics.md", "topic configs", topicConfigs(broker.ConfigKeys()))
}

// TestKafkaAPIs keeps the table in docs/guide/kafka.md equal to what the server serves.
func TestKafkaAPIs(t *testing.T) {
	section(t, "docs/guide/kafka.md", "apis", kafkaAPIs(kafka.APIs()))
}

// section keeps what stands between a comment of that name and the next end comment equal to want.
func section(t *testing.T, name, mark, want string) {
	t.Helper()
	path := filepath.Join(root, name)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), "<!-- "+mark+" -->\n")
	got, after, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("%s has no section %s", name, mark)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s: the section %s is not what the code says; go test ./internal/doctest -run %s -update", name, mark, t.Name())
	}
	text := before + "<!-- " + mark + " -->\n" + want + "<!-- end -->" + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLinks follows the links between the documents.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	code := regexp.MustCompile("(?ms)^```.*?^```")
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "testdata/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
					t.Errorf("%s: the link %s leads nowhere", f, m[1])
				}
			}
		}
	}
}
