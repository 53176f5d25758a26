package exprlang

import (
	"regexp"
	"strings"
)

var bareName = regexp.MustCompile(`^\s*[A-Za-z_]\w*\s*$`)

// longhand writes the entries of a map that are a name alone in full: {id, cents: price} becomes {id: id, cents: price}.
// Text that is no map, or has no such entry, stays as it is.
func longhand(text string) string {
	s := strings.TrimSpace(text)
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return text
	}
	entries := splitTop(s[1 : len(s)-1])
	changed := false
	for i, e := range entries {
		if bareName.MatchString(e) {
			entries[i], changed = e+": "+strings.TrimSpace(e), true
		}
	}
	if !changed {
		return text
	}
	return "{" + strings.Join(entries, ",") + "}"
}

// splitTop cuts text at the commas that stand in no brackets and no quotes.
func splitTop(text string) (parts []string) {
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '"', '\'', '`':
			i = closing(text, i)
		case ',':
			if depth == 0 {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}

// closing is where the quote that opens at i ends.
func closing(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == text[i]:
			return j
		case text[j] == '\\' && text[i] != '`':
			j++
		}
	}
	return len(text)
}
