package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/usererr"
)

// bootstrapFlag is where the Kafka protocol is spoken.
func bootstrapFlag() cli.Flag {
	return &cli.StringFlag{Name: "bootstrap", Aliases: []string{"b"}, Value: "127.0.0.1:9092", EnvVars: []string{"STREAMFLOW_KAFKA"},
		Usage: "`HOST:PORT` of the node's Kafka protocol"}
}

// connect opens a Kafka client and makes sure that somebody answers.
func connect(ctx context.Context, c *cli.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	seeds := strings.Split(c.String("bootstrap"), ",")
	secure, err := connectionOptions(c)
	if err != nil {
		return nil, err
	}
	opts = append(secure, opts...)
	// People wait for these commands: while leaders move, metadata is asked for more often than the 5 s that a service would wait.
	base := []kgo.Opt{kgo.SeedBrokers(seeds...), kgo.ClientID("streamflow"), kgo.MetadataMinAge(250 * time.Millisecond)}
	cl, err := kgo.NewClient(append(base, opts...)...)
	if err != nil {
		return nil, err
	}
	ping, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := cl.Ping(ping); err != nil {
		cl.Close()
		if refused := connectError(c.String("bootstrap"), err); refused != nil {
			return nil, refused
		}
		return nil, usererr.New("NODE_UNREACHABLE", "08001", "No node answers at %s.", c.String("bootstrap")).
			WithFix("Start one with streamflow serve, or name another with --bootstrap or STREAMFLOW_KAFKA.")
	}
	return cl, nil
}

func admin(ctx context.Context, c *cli.Context) (*kadm.Client, error) {
	cl, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(cl), nil
}

// topicError says of a broker's refusal what it was about.
func topicError(topic string, err error) error {
	if err == nil {
		return nil
	}
	if strings.HasPrefix(err.Error(), "UNKNOWN_TOPIC_OR_PARTITION") {
		return usererr.New("UNKNOWN_TOPIC", "42P01", "There is no topic %s.", topic).WithFix("See streamflow topic list.")
	}
	if strings.HasPrefix(err.Error(), "TOPIC_AUTHORIZATION_FAILED") {
		return usererr.New("ACCESS_REFUSED", "42501", "You have no right to do that with topic %s.", topic).WithFix("Log in as somebody who has, with --user, or have it allowed: streamflow acl add.")
	}
	// The client asks again as long as the node says that it cannot store, and then knows no more than that.
	if errors.Is(err, kgo.ErrRecordTimeout) {
		return usererr.New("PRODUCE_TIMEOUT", "58030", "The node has not stored the records within %v: its disk is full, or it does not answer.", produceTimeout).In("topic " + topic).
			WithFix("Its log says which. It goes on by itself when there is room; what was acknowledged before is safe.")
	}
	// Clients are told the code of a refused append, not why. The node has one reason for this one.
	if strings.HasPrefix(err.Error(), "POLICY_VIOLATION") {
		return usererr.New("TOPIC_SEALED", "25006", "Topic %s is sealed: it takes no more records.", topic).
			WithFix("Write to another topic, or open it again: streamflow topic alter %s --config streamflow.sealed=false.", topic)
	}
	return usererr.New("TOPIC_REFUSED", "58000", "%v", err).In("topic " + topic)
}
