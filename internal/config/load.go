package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Load reads a configuration file (none when path is empty) and the environment. Errors are the user's: INVALID_CONFIG_FILE,
// UNKNOWN_CONFIG_KEY, INVALID_CONFIG_VALUE, with file, line and key.
func Load(path string, environ []string) (*Config, error) {
	c := Default()
	if path != "" {
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, usererr.New("INVALID_CONFIG_FILE", "58030", "The configuration file cannot be read: %v.", err).In(path)
		}
		if err := c.apply(path, src); err != nil {
			return nil, err
		}
	}
	return c, c.applyEnv(environ)
}

func (c *Config) apply(path string, src []byte) error {
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return usererr.New("INVALID_CONFIG_FILE", "42601", "The configuration is not valid YAML: %s.", firstLine(err.Error())).In(path)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if err := c.walk(path, "", doc.Body); err != nil {
			return err
		}
	}
	return nil
}

// walk applies every scalar below a node under its dotted key.
func (c *Config) walk(path, key string, n ast.Node) error {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if err := c.walk(path, key, v); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		name := strings.Trim(n.Key.String(), `"'`)
		if key != "" {
			name = key + "." + name
		}
		if _, leaf := n.Value.(ast.ScalarNode); leaf || !isSection(name) {
			tok := n.Key.GetToken()
			return c.set(name, scalar(n.Value), fmt.Sprintf("%s, line %d", path, tok.Position.Line))
		}
		return c.walk(path, name, n.Value)
	case *ast.NullNode:
		return nil
	default:
		return usererr.New("INVALID_CONFIG_FILE", "42601", "The configuration must be keys and values.").In(path)
	}
}

func scalar(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return strings.TrimSpace(n.String())
}

// isSection reports whether some key lies below name.
func isSection(name string) bool {
	for _, s := range Settings {
		if strings.HasPrefix(s.Key, name+".") {
			return true
		}
	}
	return false
}

func (c *Config) set(key, value, where string) error {
	for _, s := range Settings {
		if s.Key != key {
			continue
		}
		if err := s.set(c, value); err != nil {
			e := usererr.New("INVALID_CONFIG_VALUE", "22023", "%s is %q but %v.", key, value, err).In(where)
			if s.Default == "" {
				return e
			}
			return e.WithFix("The default is %s.", s.Default)
		}
		return nil
	}
	e := usererr.New("UNKNOWN_CONFIG_KEY", "42704", "There is no configuration key %s.", key).In(where)
	if near := usererr.Nearest(key, keys(), 1); len(near) > 0 {
		return e.WithFix("Did you mean %s?", near[0])
	}
	return e.WithFix("The keys are listed in docs/guide/configuration.md.")
}

func keys() []string {
	out := make([]string, len(Settings))
	for i, s := range Settings {
		out[i] = s.Key
	}
	return out
}

// EnvName is the environment variable of a key.
func EnvName(key string) string {
	return "STREAMFLOW_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (c *Config) applyEnv(environ []string) error {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		for _, s := range Settings {
			if EnvName(s.Key) == name {
				if err := c.set(s.Key, value, "environment variable "+name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
