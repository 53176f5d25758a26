package doctest

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/internal/config"
)

const configurationHead = "# Configuration\n\n" +
	"A node reads one YAML file, `streamflow serve --config FILE`. Every key is also an environment variable: `storage.segment_size` is\n" +
	"`STREAMFLOW_STORAGE_SEGMENT_SIZE`. A flag of `serve` comes before the environment, the environment before the file, the file\n" +
	"before the default. A key that does not exist is an error that names the nearest one and its line.\n\n" +
	"```yaml\nstorage:\n  data_dir: /var/lib/streamflow\n  retention_hours: 720\nprocessing:\n  memory: 2GiB\n```\n\n" +
	"Sizes take `KiB`, `MiB`, `GiB` or plain bytes; durations take `ms`, `s`, `m`, `h`.\n"

const configurationTail = "\n`sfsubmit` and the client commands of `streamflow` read these variables, each a flag's default:\n\n" +
	"| variable | flag | of |\n|---|---|---|\n" +
	"| `STREAMFLOW_SERVER` | `--server` | sfsubmit |\n| `STREAMFLOW_DATA_DIR` | `--data-dir` | sfsubmit, for the node in its own process |\n| `STREAMFLOW_MEMORY` | `--memory` | sfsubmit, for the node in its own process |\n" +
	"| `STREAMFLOW_KAFKA` | `--bootstrap` | streamflow topic, produce, consume |\n\n" +
	"A topic's own settings are in [topics.md](topics.md).\n\n" +
	"This page is made from the table in `internal/config`: `go test ./internal/doctest -run TestConfiguration -update`.\n"

// configuration is the reference page of all settings.
func configuration(settings []config.Setting) string {
	var b strings.Builder
	b.WriteString(configurationHead)
	section := ""
	for _, s := range settings {
		top, _, _ := strings.Cut(s.Key, ".")
		if top != section {
			section = top
			fmt.Fprintf(&b, "\n## %s\n\n| key | default | what it does |\n|---|---|---|\n", top)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", s.Key, s.Default, s.Doc)
	}
	b.WriteString(configurationTail)
	return b.String()
}
