package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// limits measures what the machine can do: nobody acknowledges a synced record faster than the disk syncs.
func limits(o options, r *results) error {
	path := filepath.Join(o.dir, "limits")
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	defer os.Remove(path)
	defer f.Close()
	add := func(what, how string, value float64, unit string, more bool) {
		r.add(result{Server: "machine", Case: what, How: how, Value: value, Unit: unit, More: more, Load: loadAverage()})
	}
	took, err := syncs(f, 4<<10, time.Second)
	if err != nil {
		return err
	}
	add("fdatasync of 4 KiB appended", "p50", ms(took[len(took)/2]), "ms", false)
	add("fdatasync of 4 KiB appended", "p99", ms(took[len(took)*99/100]), "ms", false)
	best := 0.0
	for range o.repeat {
		took, err := syncs(f, 1<<20, time.Second)
		if err != nil {
			return err
		}
		best = max(best, float64(len(took))*(1<<20)/1e6/sum(took).Seconds())
	}
	add("write, fdatasync each MiB", "", best, "MB/s", true)
	if best, err = pageCache(f, o.repeat); err != nil {
		return err
	}
	add("read from the page cache", "1 thread", best, "MB/s", true)
	return nil
}

// syncs appends blocks and syncs each, for a while; how long each took, sorted.
func syncs(f *os.File, block int, d time.Duration) ([]time.Duration, error) {
	buf := make([]byte, block)
	var took []time.Duration
	for began := time.Now(); time.Since(began) < d; {
		at := time.Now()
		if _, err := f.Write(buf); err != nil {
			return nil, fmt.Errorf("limits: %w", err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return nil, fmt.Errorf("limits: %w", err)
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	return took, nil
}

// pageCache reads a file that has just been written, in MB/s.
func pageCache(f *os.File, repeat int) (float64, error) {
	buf, best := make([]byte, 1<<20), 0.0
	for range repeat {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return 0, fmt.Errorf("limits: %w", err)
		}
		began, n := time.Now(), 0
		for {
			k, err := f.Read(buf)
			n += k
			if err == io.EOF {
				break
			}
			if err != nil {
				return 0, fmt.Errorf("limits: %w", err)
			}
		}
		best = max(best, float64(n)/1e6/time.Since(began).Seconds())
	}
	return best, nil
}

func sum(list []time.Duration) (s time.Duration) {
	for _, d := range list {
		s += d
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
