package structured

import (
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// SplitName splits an identifier into its parts: a.`b.c`.d.
func SplitName(text string) ([]string, error) {
	var parts []string
	rest := text
	for {
		part, after, err := cutPart(rest, text)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		if after == "" {
			return parts, nil
		}
		rest = after[1:]
	}
}

// cutPart takes the first part off rest; after is empty or begins with the dot.
func cutPart(rest, whole string) (part, after string, err error) {
	if !strings.HasPrefix(rest, "`") {
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			i = len(rest)
		}
		if i == 0 || strings.Contains(rest[:i], "`") {
			return "", "", badName(whole)
		}
		return rest[:i], rest[i:], nil
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if rest[i] != '`' {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		after = rest[i+1:]
		if after != "" && after[0] != '.' || after == "." {
			return "", "", badName(whole)
		}
		return b.String(), after, nil
	}
	return "", "", badName(whole)
}

func badName(name string) *usererr.Error {
	return usererr.New("INVALID_ATTRIBUTE_NAME_SYNTAX", "42601", "Syntax error in the attribute name: %s.", name).
		With("name", name).WithFix("Check that backticks appear in pairs, a quoted string is a complete name part and use a backtick only inside quoted name parts.")
}

// JoinName is the text form of a name's parts.
func JoinName(parts []string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = p
		if p == "" || strings.ContainsAny(p, ".`") {
			quoted[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
		}
	}
	return strings.Join(quoted, ".")
}
