package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/certs"
)

func certCommand() *cli.Command {
	return &cli.Command{
		Name: "cert", Usage: "make certificates for development: an authority (ca.pem) and, for each NAME, NAME.pem and NAME-key.pem", ArgsUsage: "NAME…", Action: makeCerts,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Value: ".", Usage: "`DIRECTORY` of the files; an authority that is there is used again"},
			&cli.StringSliceFlag{Name: "host", Value: cli.NewStringSlice("localhost", "127.0.0.1", "::1"), Usage: "`NAME` or address at which a node is reached, may be repeated"},
			&cli.IntFlag{Name: "days", Value: 365, Usage: "how long they hold"},
		},
	}
}

func makeCerts(c *cli.Context) error {
	if c.NArg() == 0 {
		return usage("cert takes names: of a node, or of a user")
	}
	dir, life := c.String("dir"), time.Duration(c.Int("days"))*24*time.Hour
	if life <= 0 {
		return usage("--days must be at least 1")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	authority, err := certs.OpenAuthority(dir, life)
	if err != nil {
		return err
	}
	for _, name := range c.Args().Slice() {
		if name != filepath.Base(name) || name == "ca" || name == "." {
			return usage("%q cannot be the name of a certificate's file", name)
		}
		if err := authority.Issue(dir, name, c.StringSlice("host"), life); err != nil {
			return err
		}
		fmt.Println(filepath.Join(dir, name+".pem"))
	}
	return nil
}
