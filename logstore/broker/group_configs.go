package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
)

// groupConfigTable is every configuration that a group can have of its own (KIP-848).
var groupConfigTable = []ConfigKey{
	{Name: "consumer.heartbeat.interval.ms", Default: "5000", Kind: KindInt, Min: 10, Max: 60_000, Doc: "how often a member of a consumer group says that it is there"},
	{Name: "consumer.session.timeout.ms", Default: "45000", Kind: KindInt, Min: 100, Max: 600_000, Doc: "a member of a consumer group that says nothing for so long is removed"},
	{Name: "share.auto.offset.reset", Default: "latest", Kind: KindEnum, Values: []string{"earliest", "latest"}, Doc: "where a share group begins in a partition that it has not read"},
	{Name: "share.heartbeat.interval.ms", Default: "5000", Kind: KindInt, Min: 10, Max: 60_000, Doc: "how often a member of a share group says that it is there"},
	{Name: "share.isolation.level", Default: "read_uncommitted", Kind: KindEnum, Values: []string{"read_committed", "read_uncommitted"}, Doc: "whether a share group is given records of aborted and open transactions"},
	{Name: "share.record.lock.duration.ms", Default: "30000", Kind: KindInt, Min: 100, Max: 3_600_000, Doc: "how long a record is with the member that it was given to"},
	{Name: "share.session.timeout.ms", Default: "45000", Kind: KindInt, Min: 100, Max: 600_000, Doc: "a member of a share group that says nothing for so long is removed"},
}

// GroupConfigKeys returns the configurations that a group can have, by name.
func GroupConfigKeys() []ConfigKey { return groupConfigTable }

// GroupConfigs are the configurations that were set for a group.
func (b *Broker) GroupConfigs(group string) map[string]string { return b.groupConfigs.get(group) }

// GroupsWithConfigs names the groups that configurations were set for, in order.
func (b *Broker) GroupsWithConfigs() []string { return b.groupConfigs.names() }

// GroupConfigInt is a configuration of a group, if it was set.
func (b *Broker) GroupConfigInt(group, key string) (int64, bool) {
	b.groupConfigs.mu.RLock()
	defer b.groupConfigs.mu.RUnlock()
	v, ok := b.groupConfigs.groups[group][key]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		panic("BUG: config " + key + " was not validated: " + err.Error())
	}
	return n, true
}

// GroupConfig is a configuration of a group, the default when it was not set.
func (b *Broker) GroupConfig(group, key string) string {
	b.groupConfigs.mu.RLock()
	defer b.groupConfigs.mu.RUnlock()
	if v, ok := b.groupConfigs.groups[group][key]; ok {
		return v
	}
	if k := groupConfigKey(key); k != nil {
		return k.Default
	}
	return ""
}

// AlterGroupConfigs sets and unsets configurations of a group, which need not be there yet. Errors are the user error
// INVALID_GROUP_CONFIG.
func (b *Broker) AlterGroupConfigs(ctx context.Context, group string, set map[string]string, unset []string, validateOnly bool) error {
	if err := validateGroupConfigs(set, unset); err != nil || validateOnly {
		return err
	}
	_, err := b.apply(ctx, b.groupConfigs, groupConfigCommand{Group: group, Set: set, Unset: unset})
	return err
}

// CodeInvalidGroupConfig is the user error of a group's configuration.
const CodeInvalidGroupConfig = "INVALID_GROUP_CONFIG"

func validateGroupConfigs(set map[string]string, unset []string) error {
	for _, k := range unset {
		if groupConfigKey(k) == nil {
			return errGroupConfig(k)
		}
	}
	for k, v := range set {
		key := groupConfigKey(k)
		if key == nil {
			return errGroupConfig(k)
		}
		if err := key.check(v); err != nil {
			e := usererr.New(CodeInvalidGroupConfig, "22023", "config %s of a group cannot be %q", k, v)
			if key.Kind == KindEnum {
				return e.WithFix("Give one of %s.", strings.Join(key.Values, ", "))
			}
			return e.WithFix("Give a whole number from %d to %d.", key.Min, key.Max)
		}
	}
	return nil
}

func groupConfigKey(name string) *ConfigKey {
	for i := range groupConfigTable {
		if groupConfigTable[i].Name == name {
			return &groupConfigTable[i]
		}
	}
	return nil
}

func errGroupConfig(name string) error {
	e := usererr.New(CodeInvalidGroupConfig, "22023", "a group has no config %q", name)
	names := make([]string, 0, len(groupConfigTable))
	for _, k := range groupConfigTable {
		names = append(names, k.Name)
	}
	if near := nearest(name, names); near != "" {
		return e.WithFix("Did you mean %q?", near)
	}
	return e.WithFix("Describe the configs of a group to see which there are.")
}

// groupConfigsMachine holds what was set for groups.
type groupConfigsMachine struct {
	mu     sync.RWMutex
	groups map[string]map[string]string
}

type groupConfigCommand struct {
	Group string            `json:"group"`
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

func newGroupConfigsMachine() *groupConfigsMachine {
	return &groupConfigsMachine{groups: map[string]map[string]string{}}
}

func (*groupConfigsMachine) Name() string { return "groupConfigs" }

func (m *groupConfigsMachine) Apply(cmd []byte) ([]byte, error) {
	var c groupConfigCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("group configs: command: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := maps.Clone(m.groups[c.Group])
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, c.Set)
	for _, k := range c.Unset {
		delete(next, k)
	}
	if m.groups[c.Group] = next; len(next) == 0 {
		delete(m.groups, c.Group)
	}
	return nil, nil
}

func (m *groupConfigsMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := json.Marshal(m.groups)
	if err != nil {
		panic("BUG: group configs do not encode: " + err.Error())
	}
	return b
}

func (m *groupConfigsMachine) Restore(state []byte) error {
	groups := map[string]map[string]string{}
	if err := json.Unmarshal(state, &groups); err != nil {
		return fmt.Errorf("group configs: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.groups = groups
	return nil
}

func (m *groupConfigsMachine) get(group string) map[string]string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.groups[group])
}

func (m *groupConfigsMachine) names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.groups))
}
