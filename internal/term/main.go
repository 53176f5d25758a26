package term

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
)

// Main runs a program's command line and returns its exit code: flags may stand anywhere, an unknown flag or command is
// wrong usage, and errors are printed for people.
func Main(ctx context.Context, app *cli.App, args []string) int {
	app.EnableBashCompletion = true
	app.ExitErrHandler = func(*cli.Context, error) {}
	app.OnUsageError = func(c *cli.Context, err error, _ bool) error { return Usage("%v; see %s --help", err, app.Name) }
	app.CommandNotFound = func(c *cli.Context, name string) {
		fmt.Fprintf(os.Stderr, "error: %s has no command %q; see %s --help\n", app.Name, name, app.Name)
		os.Exit(ExitUsage)
	}
	for _, c := range app.Commands {
		refuseUnknown(c)
	}
	return Exit(os.Stderr, app.RunContext(ctx, FlagsFirst(app, args)))
}

// refuseUnknown makes wrong flags of a command and its subcommands wrong usage.
func refuseUnknown(c *cli.Command) {
	c.OnUsageError = func(c *cli.Context, err error, _ bool) error {
		return Usage("%v; see %s %s --help", err, c.App.Name, c.Command.FullName())
	}
	for _, s := range c.Subcommands {
		refuseUnknown(s)
	}
}
