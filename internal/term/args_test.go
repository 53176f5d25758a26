package term

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestFlagsFirst(t *testing.T) {
	app := &cli.App{
		Flags: []cli.Flag{&cli.StringFlag{Name: "server", Aliases: []string{"s"}}},
		Commands: []*cli.Command{
			{Name: "run", Flags: []cli.Flag{&cli.BoolFlag{Name: "live"}, &cli.StringFlag{Name: "output", Aliases: []string{"o"}}}},
			{Name: "topic", Subcommands: []*cli.Command{{Name: "create", Flags: []cli.Flag{&cli.IntFlag{Name: "partitions"}}}}},
		},
	}
	for _, tc := range []struct{ in, want string }{
		{"x run job.sql --live", "x run --live job.sql"},
		{"x -s h:1 run job.sql -o json --live", "x -s h:1 run -o json --live job.sql"},
		{"x run --output=json job.sql", "x run --output=json job.sql"},
		{"x topic create demo --partitions 4", "x topic create --partitions 4 demo"},
		{"x run - --live", "x run --live -"},
		{"x run a -- --b", "x run -- a --b"},
		{"x run job.sql --output", "x run --output job.sql"},
		{"x run job.sql --server h:1 --live", "x --server h:1 run --live job.sql"},
		{"x run job.sql -o json -s h:1", "x -s h:1 run -o json job.sql"},
		{"x run a -- --server h:1", "x run -- a --server h:1"},
		{"x topic create demo --server=h:1 --partitions 4", "x --server=h:1 topic create --partitions 4 demo"},
		{"x", "x"},
		{"x --help", "x --help"},
	} {
		if got := strings.Join(FlagsFirst(app, strings.Fields(tc.in)), " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.in, got, tc.want)
		}
	}
}
