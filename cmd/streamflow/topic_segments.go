package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/gateway"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

// httpFlag is where the node's HTTP face is.
func httpFlag() cli.Flag {
	return &cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", EnvVars: []string{"STREAMFLOW_HTTP"}, Usage: "`HOST:PORT` of the node's HTTP address"}
}

func topicSegmentsCommand() *cli.Command {
	return &cli.Command{Name: "segments", Usage: "segments of a topic on one node, and where they are in their life", ArgsUsage: "TOPIC", Action: topicSegments,
		Flags: []cli.Flag{httpFlag(), term.OutputFlag("table or json")}}
}

func topicSegments(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	var parts []gateway.PartitionSegments
	if err := getJSON(c.Context, c.String("http"), "/api/v1/topics/"+url.PathEscape(name)+"/segments", &parts); err != nil {
		return err
	}
	header := []string{"partition", "base", "next", "state", "records", "bytes", "compacted", "appended"}
	var rows [][]any
	for _, p := range parts {
		if p.Damage != "" {
			fmt.Fprintf(os.Stderr, "partition %d is damaged: %s\n", p.Partition, p.Damage)
		}
		for _, s := range p.Segments {
			rows = append(rows, []any{p.Partition, s.Base, s.Next, string(s.State), s.Records, s.Bytes, s.Compacted, time.UnixMilli(s.AppendedMs).UTC().Format(time.RFC3339)})
		}
	}
	return term.Rows(os.Stdout, c.String("output"), header, rows)
}

// getJSON asks a node's HTTP address.
func getJSON(ctx context.Context, addr, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return usererr.New("NODE_UNREACHABLE", "08001", "No node answers at http://%s.", addr).
			WithFix("Start one with streamflow serve, or name its HTTP address with --http or STREAMFLOW_HTTP.")
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return json.NewDecoder(res.Body).Decode(into)
	}
	var no struct{ Code, Error, Fix string }
	if err := json.NewDecoder(res.Body).Decode(&no); err != nil || no.Error == "" {
		return usererr.New("NODE_REFUSED", "58000", "http://%s%s answers %s.", addr, path, res.Status)
	}
	if no.Code == "" {
		no.Code = "NODE_REFUSED"
	}
	return usererr.New(no.Code, "58000", "%s", no.Error).WithFix("%s", no.Fix)
}
