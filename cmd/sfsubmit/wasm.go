package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/expr/wasm"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

func wasmFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "wasm", Usage: "create functions from a WebAssembly module in `FILE` first"},
		&cli.StringSliceFlag{Name: "function", Usage: "with --wasm, once or more: a `FUNCTION` that the module exports, as 'f(x BIGINT) RETURNS BIGINT'; default: all that take and give only numbers"},
	}
}

// uploader is a backend on another machine.
type uploader interface {
	AddArtifact(ctx context.Context, name string, data []byte) error
}

// createModule creates the functions that --wasm and --function ask for.
func createModule(c *cli.Context, s *opened) error {
	path, signatures := c.String("wasm"), c.StringSlice("function")
	if path == "" {
		if len(signatures) > 0 {
			return term.Usage("--function needs --wasm")
		}
		return nil
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return usererr.New("FILE_NOT_READABLE", "58030", "%v.", err)
	}
	if len(signatures) == 0 {
		if signatures, err = exported(code, path); err != nil {
			return err
		}
	}
	name := filepath.Base(path)
	opts := structured.ExecOptions{Artifact: func(string) ([]byte, bool) { return code, true }}
	if up, ok := s.Backend().(uploader); ok {
		if err := up.AddArtifact(c.Context, name, code); err != nil {
			return err
		}
	}
	for _, f := range signatures {
		text := "CREATE OR REPLACE FUNCTION " + f + " USING WASM '" + strings.ReplaceAll(name, "'", "\\'") + "'"
		rows, err := s.Backend().Execute(c.Context, &logical.SQLText{Text: text}, opts)
		if err != nil {
			return err
		}
		if err := rows.Close(); err != nil {
			return err
		}
		note("created %s", f)
	}
	return nil
}

// exported are the functions of a module whose types its exports tell.
func exported(code []byte, path string) ([]string, error) {
	m, err := wasm.Compile(code, wasm.Limits{})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var out []string
	for _, s := range m.Signatures() {
		if f, taken := expr.Lookup(s.Name); taken && f.Group != expr.UserGroup {
			note("left out %s: a built-in function has that name; CREATE FUNCTION … USING WASM … OPTIONS (export '%s') gives it another", s.Name, s.Name)
			continue
		}
		out = append(out, s.String())
	}
	if len(out) == 0 {
		return nil, usererr.New("INVALID_WASM_FUNCTION", "38000", "The module %s exports no function that takes and gives only numbers.", path).
			WithFix("Say what it exports: --function 'f(s STRING) RETURNS STRING'.")
	}
	return out, nil
}
