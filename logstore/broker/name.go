package broker

import (
	"fmt"

	"github.com/streamflow/streamflow/internal/usererr"
)

// validateName refuses names that Kafka refuses.
func validateName(name string) error {
	bad := func(why string) error {
		return usererr.New(CodeInvalidTopic, "42602", "topic name %q %s", name, why).
			WithFix("Use letters, digits, '.', '_' and '-', at most 249 of them.")
	}
	switch {
	case name == "":
		return bad("is empty")
	case name == "." || name == "..":
		return bad("means a directory")
	case len(name) > 249:
		return bad(fmt.Sprintf("has %d characters", len(name)))
	}
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
		if !ok {
			return bad(fmt.Sprintf("has the character %q", r))
		}
	}
	return nil
}
