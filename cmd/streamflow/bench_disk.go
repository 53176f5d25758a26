package main

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// benchDisk measures what two syncs in a row take here: the floor of an exactly-once micro-batch.
func benchDisk(b *bench) error {
	p50, p99, err := b.twoSyncs(300)
	if err != nil {
		return err
	}
	b.print(result{Case: "disk: two fdatasyncs of 4 KiB, p50", Value: p50, Unit: "ms"})
	b.print(result{Case: "disk: two fdatasyncs of 4 KiB, p99", Value: p99, Unit: "ms"})
	return nil
}

// twoSyncs writes and syncs two preallocated files in turn, as a batch does that stages rows and then commits.
func (b *bench) twoSyncs(rounds int) (p50, p99 float64, err error) {
	const size, block = 4 << 20, 4 << 10
	var files [2]*os.File
	buf := make([]byte, size)
	for i := range files {
		f, err := os.Create(filepath.Join(b.dir, "sync"+string(rune('0'+i))))
		if err != nil {
			return 0, 0, err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if _, err := f.Write(buf); err != nil {
			return 0, 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, 0, err
		}
		files[i] = f
	}
	took := make([]float64, 0, rounds)
	for i := range rounds {
		began := time.Now()
		for _, f := range files {
			if _, err := f.WriteAt(buf[:block], int64(i*block%size)); err != nil {
				return 0, 0, err
			}
			if err := unix.Fdatasync(int(f.Fd())); err != nil {
				return 0, 0, err
			}
		}
		took = append(took, ms(time.Since(began)))
	}
	b.diskP50, b.diskP99 = quantile(took, 0.5), quantile(took, 0.99)
	return b.diskP50, b.diskP99, nil
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
