package kafka

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rsc.io/script"
	"rsc.io/script/scripttest"
)

// TestForeignClients runs testdata/clients/*.txt: scripts of programs that nobody here wrote (kcat and librdkafka under
// Python) against a server. Each script has a node of its own, whose address is $BROKER. Scripts whose program is not
// installed are skipped.
func TestForeignClients(t *testing.T) {
	files, err := os.ReadDir("testdata/clients")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name(), func(t *testing.T) {
			n := startNode(t, fastConsumers, fastSharing)
			engine := &script.Engine{Cmds: scripttest.DefaultCmds(), Conds: scripttest.DefaultConds()}
			engine.Conds["confluent"] = script.BoolCondition("python3 has confluent_kafka", hasConfluent())
			engine.Conds["librdkafka-2.12"] = script.BoolCondition("the virtual environment has confluent_kafka 2.12", newLibrdkafka("2.12"))
			engine.Conds["librdkafka-2.16"] = script.BoolCondition("the virtual environment has confluent_kafka 2.16", newLibrdkafka("2.16"))
			ctx := timeout(t, 60*time.Second)
			env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "BROKER=" + n.addr, "PYTHON=" + python, "VENV_PYTHON=" + venvPython()}
			s, err := script.NewState(ctx, t.TempDir(), env)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.Open("testdata/clients/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			runArchive(t, engine, s, f.Name(), data)
		})
	}
}

// python is the system's interpreter, for which Debian packages librdkafka's binding.
const python = "/usr/bin/python3"

func hasConfluent() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, python, "-c", "import confluent_kafka").Run() == nil
}

// venvPython is the interpreter of the project's virtual environment, where scripts/foreign-clients.sh installs newer clients
// than Debian has.
func venvPython() string {
	if p := os.Getenv("STREAMFLOW_PYTHON"); p != "" {
		return p
	}
	path, err := filepath.Abs("../../.venv/bin/python")
	if err != nil {
		return python
	}
	return path
}

func newLibrdkafka(version string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	check := "import confluent_kafka as c, sys; sys.exit([int(x) for x in c.version().split('.')[:2]] < [int(x) for x in '" + version + "'.split('.')])"
	return exec.CommandContext(ctx, venvPython(), "-c", check).Run() == nil
}
