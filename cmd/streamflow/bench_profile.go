package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
)

// profiled runs a part, under all of Go's profiles when they are asked for.
func (b *bench) profiled(name string, run func(*bench) error) error {
	if b.profiles == "" {
		return run(b)
	}
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return err
	}
	cpu, err := os.Create(filepath.Join(b.profiles, name+".cpu"))
	if err != nil {
		return err
	}
	defer cpu.Close()
	tr, err := os.Create(filepath.Join(b.profiles, name+".trace"))
	if err != nil {
		return err
	}
	defer tr.Close()
	runtime.SetBlockProfileRate(10_000)
	runtime.SetMutexProfileFraction(100)
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	if name == "latency" { // the others' would be gigabytes
		if err := trace.Start(tr); err != nil {
			return err
		}
	}
	err = run(b)
	trace.Stop()
	pprof.StopCPUProfile()
	errs := []error{err}
	for _, p := range []string{"allocs", "block", "mutex"} {
		errs = append(errs, writeProfile(filepath.Join(b.profiles, name+"."+p), p))
	}
	return errors.Join(errs...)
}

func writeProfile(path, name string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.Lookup(name).WriteTo(f, 0); err != nil {
		return fmt.Errorf("profile %s: %w", name, err)
	}
	return nil
}
