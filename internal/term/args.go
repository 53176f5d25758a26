package term

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// FlagsFirst reorders a command line so that flags may stand anywhere among the arguments of a command, as people write
// them: "run job.sql --live". Flags of the program itself may stand there too. What follows "--" is left alone.
func FlagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	global, own := hoist(app, args[1:])
	return append(append([]string{args[0]}, global...), flagsFirst(app, own)...)
}

// hoist takes the program's own flags out of the arguments of a command that has no flags of those names.
func hoist(app *cli.App, args []string) (global, rest []string) {
	var own []cli.Flag
	commands := app.Commands
	for i := 0; i < len(args); {
		a := args[i]
		if a == "--" {
			return global, append(rest, args[i:]...)
		}
		switch {
		case !isFlag(a):
			if c := find(commands, a); c != nil {
				own, commands = append(own, c.Flags...), c.Subcommands
			} else {
				commands = nil
			}
			rest = append(rest, a)
			i++
		case !known(own, a) && known(app.Flags, a):
			n := min(width(app.Flags, a), len(args)-i)
			global = append(global, args[i:i+n]...)
			i += n
		default:
			n := min(width(own, a), len(args)-i)
			rest = append(rest, args[i:i+n]...)
			i += n
		}
	}
	return global, rest
}

// known reports whether an argument is one of the flags.
func known(flags []cli.Flag, arg string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}

func flagsFirst(app *cli.App, rest []string) (out []string) {
	flags, commands := app.Flags, app.Commands
	for {
		i := skipFlags(flags, rest)
		if i >= len(rest) {
			return append(out, rest...)
		}
		c := find(commands, rest[i])
		if c == nil {
			return append(out, reorder(flags, rest)...)
		}
		out, rest = append(out, rest[:i+1]...), rest[i+1:]
		flags, commands = c.Flags, c.Subcommands
		if len(commands) == 0 {
			return append(out, reorder(flags, rest)...)
		}
	}
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// skipFlags is the position of the first argument that is no flag and no flag's value.
func skipFlags(flags []cli.Flag, args []string) int {
	i := 0
	for i < len(args) && isFlag(args[i]) && args[i] != "--" {
		i += width(flags, args[i])
	}
	return i
}

func isFlag(s string) bool { return len(s) > 1 && s[0] == '-' }

// width is how many arguments a flag takes, itself included.
func width(flags []cli.Flag, arg string) int {
	name, _, valued := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if valued {
		return 1
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			if n != name {
				continue
			}
			if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() {
				return 2
			}
			return 1
		}
	}
	return 1
}

// reorder puts flags before the other arguments.
func reorder(flags []cli.Flag, args []string) []string {
	var front, back []string
	for i := 0; i < len(args); {
		if args[i] == "--" {
			back = append(back, args[i+1:]...)
			break
		}
		if !isFlag(args[i]) {
			back = append(back, args[i])
			i++
			continue
		}
		n := min(width(flags, args[i]), len(args)-i)
		front = append(front, args[i:i+n]...)
		i += n
	}
	if len(back) > 0 && anyFlag(back) {
		front = append(front, "--")
	}
	return append(front, back...)
}

func anyFlag(args []string) bool {
	for _, a := range args {
		if isFlag(a) {
			return true
		}
	}
	return false
}
