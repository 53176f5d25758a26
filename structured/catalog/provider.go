package catalog

import (
	"context"
	"maps"
	"sort"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Owner is a provider whose tables exist by themselves, without a definition in the catalog, as topics do.
type Owner interface {
	Provider
	// Lookup opens a table that exists; ok is false when there is none of the name.
	Lookup(ctx context.Context, name string) (t logical.Table, ok bool, err error)
	Create(ctx context.Context, def TableDef) error
	Drop(ctx context.Context, name string) error
	Names(ctx context.Context) ([]string, error)
}

// Providers opens tables by the name after USING. It is filled while a node starts and only read afterwards.
type Providers struct{ byName map[string]Provider }

// NewProviders returns an empty registry.
func NewProviders() *Providers { return &Providers{byName: map[string]Provider{}} }

// Register adds a provider under its name.
func (p *Providers) Register(name string, provider Provider) {
	name = strings.ToLower(name)
	if p.byName[name] != nil {
		panic("BUG: provider " + name + " is registered twice")
	}
	p.byName[name] = provider
}

// Get finds a provider; the error names those that there are.
func (p *Providers) Get(name string) (Provider, error) {
	if pr := p.byName[strings.ToLower(name)]; pr != nil {
		return pr, nil
	}
	e := usererr.New("DATA_SOURCE_NOT_FOUND", "42K02", "There is no data source `%s`.", name).With("provider", name)
	if near := usererr.Nearest(name, p.Names(), 1); len(near) > 0 {
		return nil, e.WithFix("Did you mean %s?", near[0])
	}
	if len(p.byName) > 0 {
		e.WithFix("Use one of %s.", strings.Join(p.Names(), ", "))
	}
	return nil, e
}

// Open opens a table by its declaration. The declared event time stands among the options too, where the analyser looks
// for it; a table returns the options that it was opened with.
func (p *Providers) Open(ctx context.Context, def TableDef) (logical.Table, error) {
	pr, err := p.Get(def.Provider)
	if err != nil {
		return nil, err
	}
	return pr.Open(ctx, def.withEventTime())
}

// Names are the registered names, sorted.
func (p *Providers) Names() []string {
	out := make([]string, 0, len(p.byName))
	for n := range p.byName {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// owners are the providers whose tables exist by themselves, in order of name.
func (p *Providers) owners() []Owner {
	var out []Owner
	for _, n := range p.Names() {
		if o, ok := p.byName[n].(Owner); ok {
			out = append(out, o)
		}
	}
	return out
}

// withEventTime is d with its event time and delay as options.
func (d TableDef) withEventTime() TableDef {
	if d.EventTime == "" {
		return d
	}
	options := map[string]string{logical.OptionEventTime: d.EventTime, logical.OptionDelayMs: strconv.FormatInt(d.Delay/1000, 10)}
	maps.Copy(options, d.Options)
	d.Options = options
	return d
}
