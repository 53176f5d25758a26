// Package streamflow is a Kafka-compatible log and a Spark-compatible engine in one process.
//
// Start runs a node. Local is a session on a node inside the process; Connect is a session on a node, or an Apache Spark
// server, somewhere else. Both give the same *structured.Session and speak Spark Connect: in process only the network is
// left out.
//
//	s, err := streamflow.Local(streamflow.Config{})      // a node in a temporary directory
//	s, err := streamflow.Connect(ctx, "sc://host:15002") // a node elsewhere
//	df, err := s.SQL(ctx, "SELECT count(*) FROM demo")
package streamflow
