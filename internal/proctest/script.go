package proctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"rsc.io/script"
	"rsc.io/script/scripttest"
)

// Scripts runs the scripts of testdata/script, each in a directory and with a node of its own. Beside the usual commands of
// rsc.io/script they have:
//
//	node [KEY=VALUE…]       start the node, with these environment variables
//	stop                    end it by SIGTERM; it must exit with code 0
//	kill                    end it by SIGKILL
//	code N program args…    run streamflow or sfsubmit; it must exit with code N
//
// The programs find the node by STREAMFLOW_KAFKA and STREAMFLOW_SERVER, and $DATA is its data directory.
func Scripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	bin := filepath.Dir(Program(t, "streamflow"))
	Program(t, "sfsubmit")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file, bin) })
	}
}

func runScript(t *testing.T, file, bin string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := NewNode(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	env := append(CleanEnv(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "STREAMFLOW_KAFKA="+n.Kafka, "STREAMFLOW_SERVER="+n.Connect,
		"HTTP="+n.HTTP, "DATA="+n.DataDir())
	s, err := script.NewState(ctx, t.TempDir(), env)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ExtractFiles(ar); err != nil {
		t.Fatal(err)
	}
	e := script.NewEngine()
	e.Cmds, e.Conds = scripttest.DefaultCmds(), scripttest.DefaultConds()
	for name, c := range nodeCommands(n) {
		e.Cmds[name] = c
	}
	scripttest.Run(t, e, s, file, strings.NewReader(string(ar.Comment)))
}

func nodeCommands(n *Node) map[string]script.Cmd {
	command := func(summary, args string, run func(*script.State, ...string) (script.WaitFunc, error)) script.Cmd {
		return script.Command(script.CmdUsage{Summary: summary, Args: args}, run)
	}
	return map[string]script.Cmd{
		"node": command("start the node", "[KEY=VALUE…]", func(_ *script.State, args ...string) (script.WaitFunc, error) {
			n.Env = args
			n.Launch()
			return nil, n.AwaitReady(20 * time.Second)
		}),
		"stop": command("end the node by SIGTERM", "", func(*script.State, ...string) (script.WaitFunc, error) {
			if code := n.Stop(); code != 0 {
				return nil, fmt.Errorf("the node ended with code %d", code)
			}
			return nil, nil
		}),
		"kill": command("end the node by SIGKILL", "", func(*script.State, ...string) (script.WaitFunc, error) {
			n.Kill()
			return nil, nil
		}),
		"code": command("run a program that exits with this code", "N program args…", runCode),
	}
}

func runCode(s *script.State, args ...string) (script.WaitFunc, error) {
	if len(args) < 2 {
		return nil, script.ErrUsage
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, script.ErrUsage
	}
	path, _ := s.LookupEnv("PATH")
	program := filepath.Join(filepath.SplitList(path)[0], args[1])
	return func(s *script.State) (string, string, error) {
		cmd := exec.CommandContext(s.Context(), program, args[2:]...)
		var stdout, stderr strings.Builder
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.Getwd(), s.Environ(), &stdout, &stderr
		dieWithParent(cmd)
		err := cmd.Run()
		if cmd.ProcessState == nil {
			return "", "", err
		}
		if got := cmd.ProcessState.ExitCode(); got != want {
			return stdout.String(), stderr.String(), fmt.Errorf("exit code %d, want %d", got, want)
		}
		return stdout.String(), stderr.String(), nil
	}, nil
}
