package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, yaml string, env ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "streamflow.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, env)
}

func TestFileThenEnvironment(t *testing.T) {
	c, err := load(t, `
cluster:
  name: prod
storage:
  segment_size: "64MiB"
  retention_hours: 24
  wal:
    sync_policy: async
`, "STREAMFLOW_STORAGE_RETENTION_HOURS=48", "HOME=/root")
	if err != nil {
		t.Fatal(err)
	}
	if c.ClusterName != "prod" || c.SegmentBytes != 64<<20 || c.RetentionHours != 48 || c.SyncPolicy != "async" || c.SegmentAge != 24*time.Hour {
		t.Fatalf("got %+v", c)
	}
}

func TestMistakes(t *testing.T) {
	for _, tc := range []struct{ yaml, want string }{
		{"storage:\n  segment_sise: 1GiB\n", "[UNKNOWN_CONFIG_KEY] There is no configuration key storage.segment_sise. (FILE, line 2) Did you mean storage.segment_size? SQLSTATE: 42704"},
		{"storage:\n  segment_size: huge\n", `[INVALID_CONFIG_VALUE] storage.segment_size is "huge" but must be a number of bytes such as 512MiB or 1GB. (FILE, line 2) The default is 1GiB. SQLSTATE: 22023`},
		{"storage:\n  wal:\n    sync_policy: never\n", `[INVALID_CONFIG_VALUE] storage.wal.sync_policy is "never" but must be one of fsync_per_batch, fsync_per_write, async. (FILE, line 3) The default is fsync_per_batch. SQLSTATE: 22023`},
		{"netwrok:\n  kafka: x\n", "[UNKNOWN_CONFIG_KEY] There is no configuration key netwrok. (FILE, line 1) The keys are listed in docs/guide/configuration.md. SQLSTATE: 42704"},
		{"a: [b\n", "[INVALID_CONFIG_FILE]"},
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(tc.yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path, nil)
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), path, "FILE"), tc.want) {
			t.Errorf("%q:\n got %v\nwant %s", tc.yaml, err, tc.want)
		}
	}
}

func TestEnvironmentMistake(t *testing.T) {
	_, err := Load("", []string{"STREAMFLOW_TOPICS_AUTO_CREATE=maybe"})
	if err == nil || !strings.Contains(err.Error(), "environment variable STREAMFLOW_TOPICS_AUTO_CREATE") {
		t.Fatal(err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("storage:\n  segment_size: 1GiB\n")
	f.Add("a: &x [*x]\n")
	f.Fuzz(func(t *testing.T, src string) {
		_ = Default().apply("f", []byte(src)) // must not panic
	})
}

// A list may be a YAML list, in either form, or text.
func TestLists(t *testing.T) {
	for _, yaml := range []string{
		"cluster:\n  voters: 1@a:1,2@b:2\n  join: a:1, b:2\n", "cluster:\n  voters: [1@a:1, 2@b:2]\n  join: [\"a:1\", 'b:2']\n",
		"cluster:\n  voters:\n    - 1@a:1\n    - 2@b:2\n  join:\n    - a:1\n    - b:2\n",
	} {
		c, err := load(t, yaml)
		if err != nil {
			t.Errorf("%s%v", yaml, err)
			continue
		}
		if len(c.Voters) != 2 || c.Voters[1] != (Voter{2, "b:2"}) || strings.Join(c.Join, " ") != "a:1 b:2" {
			t.Errorf("%s%+v %q", yaml, c.Voters, c.Join)
		}
	}
	for _, bad := range []string{"1", "@a:1", "-1@a:1", "1@a", "x@a:1", "1@a:1,1@b:1"} {
		if _, err := ParseVoters(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
