package broker

import (
	"maps"
	"strconv"

	"github.com/google/uuid"
)

// Topic is a topic as of one moment. It is never changed; a change makes a new one.
type Topic struct {
	Name       string            `json:"name"`
	ID         uuid.UUID         `json:"id"` // new for each creation
	Partitions int32             `json:"partitions"`
	Configs    map[string]string `json:"configs,omitempty"` // only what was set; Config adds defaults
	CreatedMs  int64             `json:"createdMs"`
}

// Config is a config's value, the default when it was not set, "" when the key is unknown. A topic with columns and no word
// of its format holds JSON.
func (t *Topic) Config(key string) string {
	if v, ok := t.Configs[key]; ok {
		return v
	}
	if key == "streamflow.format" && t.Configs["streamflow.schema"] != "" {
		return "json"
	}
	if k := configKeys[key]; k != nil {
		return k.Default
	}
	return ""
}

// Sealed topics refuse appends; sources over them end at the end.
func (t *Topic) Sealed() bool { return t.Config("streamflow.sealed") == "true" }

// Compacted topics keep the last record of each key, so each record must have one.
func (t *Topic) Compacted() bool {
	p := t.Config("cleanup.policy")
	return p == "compact" || p == "compact,delete" || p == "delete,compact"
}

// Format is raw, json or arrow.
func (t *Topic) Format() string { return t.Config("streamflow.format") }

// int64Config reads a config that validation has found to be a whole number.
func (t *Topic) int64Config(key string) int64 {
	n, err := strconv.ParseInt(t.Config(key), 10, 64)
	if err != nil {
		panic("BUG: config " + key + " was not validated: " + err.Error())
	}
	return n
}

// minISR is min.insync.replicas. A topic of an older release may hold anything: it is read as 1.
func (t *Topic) minISR() int {
	n, err := strconv.Atoi(t.Config("min.insync.replicas"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// MaxMessageBytes bounds one record batch.
func (t *Topic) MaxMessageBytes() int64 { return t.int64Config("max.message.bytes") }

func (t *Topic) clone() *Topic {
	c := *t
	c.Configs = maps.Clone(t.Configs)
	return &c
}
