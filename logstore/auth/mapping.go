package auth

import (
	"fmt"
	"regexp"
	"strings"
)

// NameRules make a user's name of a certificate's subject, as Kafka's ssl.principal.mapping.rules (KIP-371): rules between
// commas, of which the first that fits counts.
//
//	RULE:pattern/replacement/[L|U]   a subject that the pattern fits as a whole; $1 is its first group; L and U change case
//	DEFAULT                          the subject as it is
type NameRules []nameRule

type nameRule struct {
	pattern     *regexp.Regexp // nil: DEFAULT
	replacement string
	change      byte // 'L', 'U' or 0
}

// ParseNameRules reads rules; none at all is DEFAULT.
func ParseNameRules(s string) (NameRules, error) {
	var out NameRules
	rest := strings.TrimSpace(s)
	for rest != "" {
		var r nameRule
		var err error
		switch {
		case rest == "DEFAULT" || strings.HasPrefix(rest, "DEFAULT,"):
			rest = rest[len("DEFAULT"):]
		case strings.HasPrefix(rest, "RULE:"):
			if r, rest, err = parseRule(rest[len("RULE:"):]); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("%.40q is neither RULE:pattern/replacement/ nor DEFAULT", rest)
		}
		out = append(out, r)
		rest = strings.TrimLeft(rest, " \t\r\n")
		if rest == "" {
			break
		}
		next, ok := strings.CutPrefix(rest, ",")
		if !ok {
			return nil, fmt.Errorf("a comma is wanted before %.40q", rest)
		}
		rest = strings.TrimSpace(next)
	}
	if len(out) == 0 {
		out = NameRules{{}}
	}
	return out, nil
}

// parseRule reads pattern/replacement/[L|U], in which \/ is a slash.
func parseRule(s string) (nameRule, string, error) {
	pattern, rest, ok := cutSlash(s)
	replacement, rest, ok2 := cutSlash(rest)
	if !ok || !ok2 {
		return nameRule{}, "", fmt.Errorf("RULE:%.40q lacks its slashes", s)
	}
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		return nameRule{}, "", fmt.Errorf("RULE:%s: %w", pattern, err)
	}
	r := nameRule{pattern: re, replacement: javaReplacement(replacement)}
	if rest != "" && (rest[0] == 'L' || rest[0] == 'U') {
		r.change, rest = rest[0], rest[1:]
	}
	return r, rest, nil
}

func cutSlash(s string) (before, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '/':
			b.WriteByte('/')
			i++
		case s[i] == '/':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

var groupRef = regexp.MustCompile(`\$(\d)`)

// javaReplacement writes $1 as Go wants it beside letters.
func javaReplacement(s string) string { return groupRef.ReplaceAllString(s, `$${$1}`) }

// Name is the name that a subject has.
func (r NameRules) Name(subject string) (string, error) {
	for _, rule := range r {
		if rule.pattern == nil {
			return subject, nil
		}
		m := rule.pattern.FindStringSubmatchIndex(subject)
		if m == nil {
			continue
		}
		name := string(rule.pattern.ExpandString(nil, rule.replacement, subject, m))
		switch rule.change {
		case 'L':
			name = strings.ToLower(name)
		case 'U':
			name = strings.ToUpper(name)
		}
		return strings.TrimSpace(name), nil
	}
	return "", fmt.Errorf("no rule fits the subject %q", subject)
}
