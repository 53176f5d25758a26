package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// process is a program that answers a JSON object on each line of its input with one on its output.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	ask    *json.Encoder
	answer *json.Decoder
	errs   bytes.Buffer
}

func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd}
	cmd.Stderr = &p.errs
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	p.ask, p.answer = json.NewEncoder(p.in), json.NewDecoder(out)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	return p, nil
}

func (p *process) call(ask, answer any) error {
	if err := p.ask.Encode(ask); err != nil {
		return fmt.Errorf("oracle: %w: %s", err, p.errs.Bytes())
	}
	if err := p.answer.Decode(answer); err != nil {
		return fmt.Errorf("oracle: %w: %s", err, p.errs.Bytes())
	}
	return nil
}

// Close ends the process.
func (p *process) Close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
