package broker

import (
	"strings"
	"testing"
	"time"
)

func TestConfigMistakesSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		configs map[string]string
		want    string // part of the error; "" for none
	}{
		{nil, ""},
		{map[string]string{"retention.ms": "-1", "cleanup.policy": "compact,delete", "streamflow.sealed": "true"}, ""},
		{map[string]string{"retention.msec": "1"}, `Did you mean "retention.ms"?`},
		{map[string]string{"streamflow.seald": "1"}, `Did you mean "streamflow.sealed"?`},
		{map[string]string{"wholly-else": "1"}, `no topic config is called "wholly-else"`},
		{map[string]string{"retention.ms": "soon"}, `retention.ms is "soon", not a whole number`},
		{map[string]string{"segment.bytes": "1"}, "not a whole number from 14"},
		{map[string]string{"cleanup.policy": "compact,shrink"}, "It can be delete, compact."},
		{map[string]string{"min.cleanable.dirty.ratio": "2"}, "not a number from 0 to 1"},
		{map[string]string{"streamflow.format": "json"}, "Set streamflow.schema."},
		{map[string]string{"streamflow.event.time": "ts"}, "Set streamflow.schema."},
		{map[string]string{"streamflow.schema": "ts TIMESTAMP, n INT", "streamflow.event.time": "ts", "streamflow.format": "arrow"}, ""},
		{map[string]string{"streamflow.schema": "ts TIMESTAMP", "streamflow.event.time": "tx"}, `Did you mean "ts"?`},
		{map[string]string{"streamflow.schema": "n INT", "streamflow.event.time": "n"}, "not TIMESTAMP"},
		{map[string]string{"streamflow.schema": "n INTT"}, "schema:"},
	} {
		err := ValidateConfigs(c.configs)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c.configs, err, c.want)
		}
	}
}

func TestTopicNames(t *testing.T) {
	for _, good := range []string{"a", "A.b_c-9", strings.Repeat("x", 249)} {
		if err := validateName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", ".", "..", "a/b", "ä", "a b", strings.Repeat("x", 250)} {
		if validateName(bad) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestPartitionConfig(t *testing.T) {
	topic := &Topic{Name: "t", Configs: map[string]string{
		"retention.ms": "1000", "retention.bytes": "-1", "segment.ms": "9223372036854775807", "streamflow.sealed": "true",
		"message.timestamp.type": "LogAppendTime",
	}}
	c := topic.partitionConfig()
	if c.Retention != time.Second || c.RetentionBytes != 0 || c.SegmentAge <= 0 || !c.Sealed || !c.LogAppendTime || c.RequireKeys {
		t.Errorf("%+v", c)
	}
	topic.Configs["cleanup.policy"] = "compact"
	if c := topic.partitionConfig(); c.Retention != 0 || !c.RequireKeys {
		t.Errorf("compacted: %+v", c)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3}, {"a", "zzzzzz", 4}} {
		if got := editDistance(c.a, c.b, 4); got != c.want {
			t.Errorf("%q %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestFormatFollowsSchema(t *testing.T) {
	for _, c := range []struct{ schema, format, want string }{
		{"", "", "raw"}, {"id INT", "", "json"}, {"id INT", "raw", "raw"}, {"id INT", "arrow", "arrow"},
	} {
		topic := &Topic{Configs: map[string]string{}}
		for k, v := range map[string]string{"streamflow.schema": c.schema, "streamflow.format": c.format} {
			if v != "" {
				topic.Configs[k] = v
			}
		}
		if got := topic.Format(); got != c.want {
			t.Errorf("schema %q, format %q: is %s, want %s", c.schema, c.format, got, c.want)
		}
	}
}
