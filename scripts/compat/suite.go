package main

import "time"

// suite is a foreign test suite.
type suite struct {
	name    string // of suites/NAME.sh, and in the baseline
	title   string
	prepare time.Duration // limit for fetching and building
	limit   time.Duration // limit for one run
	env     []string      // of the nodes
	nodes   int           // how many it always has; as many as the run without
	ports   []int         // where they listen, if the suite knows only those
	told    []int         // what clients are told instead of those
}

// lists are what clients' own test clusters are set to: access control lists are enforced where there are any.
var lists = []string{"STREAMFLOW_SECURITY_ACL_ENABLED=true", "STREAMFLOW_SECURITY_ACL_ALLOW_EVERYONE_IF_NONE=true"}

var allSuites = []suite{
	{name: "kgo", title: "franz-go: kgo's and kadm's own tests", prepare: 5 * time.Minute, limit: 5 * time.Minute},
	{name: "librdkafka", title: "librdkafka: its test suite, quick mode", prepare: 10 * time.Minute, limit: 12 * time.Minute, env: lists},
	{name: "sarama", title: "Sarama: its functional tests through toxiproxy, five nodes", prepare: 5 * time.Minute, limit: 10 * time.Minute,
		nodes: 5, ports: []int{39091, 39092, 39093, 39094, 39095}, told: []int{29091, 29092, 29093, 29094, 29095},
		env: []string{"STREAMFLOW_TOPICS_AUTO_CREATE=false"}},
	{name: "kafka-python", title: "kafka-python: its integration tests", prepare: 3 * time.Minute, limit: 5 * time.Minute, env: lists},
	{name: "confluent-kafka", title: "confluent-kafka: newest librdkafka through Python", prepare: 3 * time.Minute, limit: 3 * time.Minute},
	{name: "java", title: "Apache Kafka's own clients and tools", prepare: 5 * time.Minute, limit: 8 * time.Minute, env: lists},
}

func suiteNamed(name string) (suite, bool) {
	for _, s := range allSuites {
		if s.name == name {
			return s, true
		}
	}
	return suite{}, false
}

// size is the cluster that a suite runs on.
func (s suite) size(asked int) int {
	if s.nodes > 0 {
		return s.nodes
	}
	return asked
}
