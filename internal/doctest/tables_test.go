package doctest

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/kafka"
)

// topicConfigs are the keys that do something, then the names of those that are accepted for the sake of tools.
func topicConfigs(keys []broker.ConfigKey) string {
	var b strings.Builder
	var idle []string
	b.WriteString("| key | default | |\n|---|---|---|\n")
	for _, k := range keys {
		if strings.HasPrefix(k.Doc, "accepted") {
			idle = append(idle, "`"+k.Name+"`")
			continue
		}
		def := k.Default
		if def != "" {
			def = "`" + def + "`"
		}
		doc := k.Doc
		if len(k.Values) > 0 {
			doc += ": `" + strings.Join(k.Values, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, def, doc)
	}
	fmt.Fprintf(&b, "\nAccepted, because Kafka's tools set them, without effect: %s.\n", strings.Join(idle, ", "))
	return b.String()
}

func kafkaAPIs(list []kafka.API) string {
	var b strings.Builder
	b.WriteString("| key | API | versions |\n|---|---|---|\n")
	for _, a := range list {
		fmt.Fprintf(&b, "| %d | %s | %d to %d |\n", a.Key, a.Name, a.Min, a.Max)
	}
	return b.String()
}
