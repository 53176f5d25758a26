package main

import "time"

// suite is a foreign test suite.
type suite struct {
	name    string // of suites/NAME.sh, and in the baseline
	title   string
	prepare time.Duration // limit for fetching and building
	limit   time.Duration // limit for one run
	env     []string      // of the nodes
	ports   []int         // where nodes must listen, if the suite knows only those
}

var allSuites = []suite{
	{name: "kgo", title: "franz-go: kgo's and kadm's own tests", prepare: 5 * time.Minute, limit: 5 * time.Minute},
	{name: "librdkafka", title: "librdkafka: its test suite, quick mode", prepare: 10 * time.Minute, limit: 12 * time.Minute},
	{name: "sarama", title: "Sarama: its functional tests through toxiproxy", prepare: 5 * time.Minute, limit: 6 * time.Minute},
	{name: "kafka-python", title: "kafka-python: its integration tests", prepare: 3 * time.Minute, limit: 5 * time.Minute},
	{name: "confluent-kafka", title: "confluent-kafka: newest librdkafka through Python", prepare: 3 * time.Minute, limit: 3 * time.Minute},
	{name: "java", title: "Apache Kafka's own clients and tools", prepare: 5 * time.Minute, limit: 8 * time.Minute},
}

func suiteNamed(name string) (suite, bool) {
	for _, s := range allSuites {
		if s.name == name {
			return s, true
		}
	}
	return suite{}, false
}
