package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/structured/stats"
)

// Analyzed is a catalog that keeps what ANALYZE TABLE has counted.
type Analyzed interface {
	// Statistics are what was counted of a table, nil when nothing was.
	Statistics(name string) *stats.Table
	// KeepStatistics replaces them.
	KeepStatistics(ctx context.Context, name string, t *stats.Table) error
}

// KindStatistics is the kind of entries that hold what was counted of a table. It is no table itself.
const KindStatistics = "statistics"

// statisticsOf is the name of a table's entry; no table has such a name.
func statisticsOf(table string) string { return "\x00statistics\x00" + strings.ToLower(table) }

// counted is the stored form: JSON with a version.
type counted struct {
	Version int          `json:"v"`
	Table   *stats.Table `json:"table"`
}

const countedVersion = 1

// Statistics implements Analyzed. What cannot be read counts as never counted: queries then are slower, not wrong.
func (n *Node) Statistics(name string) *stats.Table {
	s, ok := n.entries.Get(statisticsOf(name))
	if !ok || s.Kind != KindStatistics {
		return nil
	}
	var c counted
	if err := json.Unmarshal(s.Body, &c); err != nil || c.Version != countedVersion {
		return nil
	}
	return c.Table
}

// KeepStatistics implements Analyzed.
func (n *Node) KeepStatistics(ctx context.Context, name string, t *stats.Table) error {
	body, err := json.Marshal(counted{countedVersion, t})
	if err != nil {
		return fmt.Errorf("catalog: statistics of %s: %w", name, err)
	}
	return n.entries.Put(ctx, Stored{Name: statisticsOf(name), Kind: KindStatistics, Body: body}, true)
}

// forgetStatistics drops a table's statistics with it.
func (n *Node) forgetStatistics(ctx context.Context, name string) error {
	_, err := n.entries.Delete(ctx, KindStatistics, statisticsOf(name))
	return err
}
