package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Feature is a behaviour of the whole cluster that has levels, after KIP-584. Clients use what is finalized.
type Feature struct {
	Name     string
	Min, Max int16 // what this node can do; level 0 is the feature switched off
	Level    int16 // finalized
}

// FeatureUpdate asks for another level.
type FeatureUpdate struct {
	Name      string
	Level     int16
	Downgrade bool // a lower level is meant
}

// Features that the protocol server serves. metadata.version is not among them: it numbers the records of Kafka's own metadata
// log, which is not ours.
const (
	FeatureTransactions = "transaction.version" // 2: the epoch grows with each transaction (KIP-890)
	FeatureGroups       = "group.version"       // 1: consumer groups of KIP-848
	FeatureShares       = "share.version"       // 1: share groups of KIP-932
)

var featureTable = []Feature{
	{Name: FeatureGroups, Max: 1},
	{Name: FeatureShares, Max: 1},
	{Name: FeatureTransactions, Max: 2},
}

const (
	CodeUnknownFeature = "UNKNOWN_FEATURE"
	CodeFeatureLevel   = "INVALID_FEATURE_LEVEL"
)

// Features returns the features with their levels, by name, and a number that grows with each change of a level.
func (b *Broker) Features() (all []Feature, epoch int64) { return b.features.list() }

// FeatureLevel is the finalized level of a feature; 0 for one that is switched off or not known.
func (b *Broker) FeatureLevel(name string) int16 {
	b.features.mu.RLock()
	defer b.features.mu.RUnlock()
	return b.features.level(name)
}

// UpdateFeatures sets levels, all or none. Errors are user errors: UNKNOWN_FEATURE, INVALID_FEATURE_LEVEL.
func (b *Broker) UpdateFeatures(ctx context.Context, updates []FeatureUpdate, validateOnly bool) error {
	if err := b.features.check(updates); err != nil || validateOnly {
		return err
	}
	_, err := b.apply(ctx, b.features, updates)
	return err
}

// featuresMachine holds the finalized levels that somebody has set. Any other feature is at its highest level.
type featuresMachine struct {
	mu    sync.RWMutex
	set   map[string]int16
	epoch int64
}

type featuresState struct {
	Set   map[string]int16 `json:"set,omitempty"`
	Epoch int64            `json:"epoch"`
}

func newFeaturesMachine() *featuresMachine { return &featuresMachine{set: map[string]int16{}} }

func (*featuresMachine) Name() string { return "features" }

func (m *featuresMachine) Apply(cmd []byte) ([]byte, error) {
	var updates []FeatureUpdate
	if err := json.Unmarshal(cmd, &updates); err != nil {
		return nil, fmt.Errorf("features: command: %w", err)
	}
	if err := m.check(updates); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range updates {
		m.set[u.Name] = u.Level
	}
	m.epoch++
	return nil, nil
}

func (m *featuresMachine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := json.Marshal(featuresState{m.set, m.epoch})
	if err != nil {
		panic("BUG: features do not encode: " + err.Error())
	}
	return b
}

func (m *featuresMachine) Restore(state []byte) error {
	var s featuresState
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("features: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.set, m.epoch = s.Set, s.Epoch; m.set == nil {
		m.set = map[string]int16{}
	}
	return nil
}

func (m *featuresMachine) list() ([]Feature, int64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]Feature, len(featureTable))
	copy(out, featureTable)
	for i := range out {
		out[i].Level = m.level(out[i].Name)
	}
	return out, m.epoch
}

// level wants m.mu.
func (m *featuresMachine) level(name string) int16 {
	if l, ok := m.set[name]; ok {
		return l
	}
	for _, f := range featureTable {
		if f.Name == name {
			return f.Max
		}
	}
	return 0
}

func (m *featuresMachine) check(updates []FeatureUpdate) error {
	now, _ := m.list()
	for _, u := range updates {
		if err := checkFeature(now, u); err != nil {
			return err
		}
	}
	return nil
}

func checkFeature(now []Feature, u FeatureUpdate) error {
	names := make([]string, 0, len(now))
	for _, f := range now {
		if f.Name != u.Name {
			names = append(names, f.Name)
			continue
		}
		switch {
		case u.Level < f.Min || u.Level > f.Max:
			return usererr.New(CodeFeatureLevel, "22023", "feature %s has the levels %d to %d, not %d", f.Name, f.Min, f.Max, u.Level)
		case u.Level < f.Level && !u.Downgrade:
			return usererr.New(CodeFeatureLevel, "22023", "feature %s is at level %d, and %d is lower", f.Name, f.Level, u.Level).
				WithFix("Say that a downgrade is meant.")
		}
		return nil
	}
	e := usererr.New(CodeUnknownFeature, "42704", "feature %q is not known", u.Name)
	if near := nearest(u.Name, names); near != "" {
		return e.WithFix("Did you mean %q?", near)
	}
	return e.WithFix("Ask for ApiVersions to see which features there are.")
}
