package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/meta"
)

func verifyCommand() *cli.Command {
	return &cli.Command{Name: "verify", Usage: "read every byte of a stopped node's data directory, and say what is damaged", ArgsUsage: "DIR", Action: verify,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "repair", Usage: "make indexes again, drop snapshots that cannot be read, cut torn tails; sound records stay"},
			&cli.BoolFlag{Name: "quarantine", Usage: "with --repair: put damaged bytes aside and go on without their records"},
			&cli.BoolFlag{Name: "notes", Usage: "list what is worth a note too"},
			&cli.BoolFlag{Name: "cluster", Usage: "compare the replicas on running nodes by checksum instead; takes no DIR"},
			&cli.StringFlag{Name: "http", Value: "127.0.0.1:8080", Usage: "with --cluster, the nodes' HTTP addresses, separated by commas"},
			&cli.StringFlag{Name: "topic", Usage: "with --cluster, of one topic only"},
			bootstrapFlag(), term.OutputFlag("table or json")}}
}

func auditCommand() *cli.Command {
	return &cli.Command{Name: "audit", Usage: "what was done to the files of a data directory: compactions, deletions, repairs", ArgsUsage: "DIR", Action: showAudit,
		Flags: []cli.Flag{&cli.StringFlag{Name: "topic", Usage: "of one topic only"}, term.OutputFlag("table or json")}}
}

// verifyReport is the JSON output.
type verifyReport struct {
	logstore.VerifyReport
	MetaEntries   uint64 `json:"metaEntries"`
	MetaSnapshots int    `json:"metaSnapshots"`
	Sound         bool   `json:"sound"`
}

func verify(c *cli.Context) error {
	if c.Bool("cluster") {
		return verifyCluster(c)
	}
	dir, err := oneArg(c, "directory")
	if err != nil {
		return err
	}
	if c.Bool("quarantine") && !c.Bool("repair") {
		return usage("--quarantine goes with --repair")
	}
	logDir := dir
	if st, err := os.Stat(filepath.Join(dir, "log")); err == nil && st.IsDir() {
		logDir = filepath.Join(dir, "log")
	}
	r, err := logstore.Verify(logstore.VerifyOptions{Dir: logDir, Repair: c.Bool("repair"), Quarantine: c.Bool("quarantine"), NowMs: time.Now().UnixMilli()})
	if err != nil {
		return err
	}
	out := verifyReport{VerifyReport: r}
	if logDir != dir {
		checked, err := meta.Check(filepath.Join(dir, "meta"))
		if err != nil {
			return err
		}
		out.MetaEntries, out.MetaSnapshots = checked.Entries, checked.Snapshots
		for _, p := range checked.Problems {
			out.Findings = append(out.Findings, logstore.Finding{Severity: logstore.Damaged, File: p.File, Byte: -1, Offset: -1, What: p.What, Fix: p.Fix})
		}
	}
	out.Sound = out.VerifyReport.Sound()
	if err := printFindings(c, dir, out); err != nil {
		return err
	}
	if !out.Sound {
		return usererr.New("DAMAGED", "XX001", "The data directory is damaged.").In(dir).WithFix("See what is said of each file.")
	}
	return nil
}

func printFindings(c *cli.Context, dir string, r verifyReport) error {
	if c.String("output") == "json" {
		if r.Findings == nil {
			r.Findings = []logstore.Finding{}
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	var rows [][]any
	for _, f := range r.Findings {
		if f.Severity == logstore.Note && !c.Bool("notes") {
			continue
		}
		state := string(f.Severity)
		if f.Repaired {
			state = "repaired"
		}
		rows = append(rows, []any{state, relative(dir, f.File), known(f.Byte), known(f.Offset), f.What, f.Fix})
	}
	if len(rows) > 0 {
		if err := term.Rows(os.Stdout, c.String("output"), []string{"finding", "file", "byte", "offset", "what", "fix"}, rows); err != nil {
			return err
		}
	}
	fmt.Printf("%d partitions, %d segments, %d batches, %d records, %d bytes; %d metadata entries\n", r.Partitions, r.Segments, r.Batches, r.Records, r.Bytes, r.MetaEntries)
	if r.Sound {
		fmt.Println("sound")
	}
	return nil
}

func relative(dir, file string) string {
	if rel, err := filepath.Rel(dir, file); err == nil {
		return rel
	}
	return file
}

func known(n int64) any {
	if n < 0 {
		return ""
	}
	return n
}

func showAudit(c *cli.Context) error {
	dir, err := oneArg(c, "directory")
	if err != nil {
		return err
	}
	if st, err := os.Stat(filepath.Join(dir, "log")); err == nil && st.IsDir() {
		dir = filepath.Join(dir, "log")
	}
	ops, err := logstore.ReadAudit(vfs.OS, dir, func(l logstore.BadLine) {
		fmt.Fprintf(os.Stderr, "%s line %d: %v\n", l.File, l.Line, l.Err)
	})
	if err != nil {
		return err
	}
	var rows [][]any
	for _, o := range ops {
		if t := c.String("topic"); t != "" && o.Topic != t {
			continue
		}
		if c.String("output") == "json" {
			if err := json.NewEncoder(os.Stdout).Encode(o); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, auditRow(o))
	}
	if c.String("output") == "json" {
		return nil
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"time", "operation", "topic", "partition", "before", "after", "dropped", "detail"}, rows)
}

func auditRow(o logstore.Operation) []any {
	before, after := int64(0), int64(0)
	for _, s := range o.Before {
		before += s.Bytes
	}
	for _, s := range o.After {
		after += s.Bytes
	}
	dropped, detail := any(""), o.Detail
	if o.Counts != nil {
		dropped = o.Counts.Dropped()
		detail = fmt.Sprintf("offsets %d to %d, SHA-256 %.12s", o.After[0].Base, o.After[0].Next-1, o.After[0].SHA256)
	}
	at := o.Time
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		at = t.Format(time.RFC3339)
	}
	return []any{at, o.Op, o.Topic, o.Partition, before, after, dropped, detail}
}
