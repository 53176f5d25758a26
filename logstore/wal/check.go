package wal

import (
	"github.com/streamflow/streamflow/internal/vfs"
)

// CheckedFile is a file that Check has read.
type CheckedFile struct {
	Name    string
	Bytes   int64
	Records uint64 // in its run
	Closed  bool   // it ends with a clean shutdown
	BadHead bool   // its header is not sound: it holds nothing, or a crash cut its making off
}

// Check reads the log in a directory that no process uses, as a replay does, and changes nothing. fn, which may be nil, is
// given what a replay would be given. Damage is an error with the code CORRUPT_WAL.
func Check(fs vfs.FS, dir string, fn func(Entry) error) ([]CheckedFile, error) {
	if fn == nil {
		fn = func(Entry) error { return nil }
	}
	runs, err := openRuns(Options{FS: fs, Dir: dir})
	if err != nil {
		return nil, err
	}
	var files []CheckedFile
	for _, r := range runs {
		defer r.f.Close()
		f := CheckedFile{Name: r.f.name, Bytes: r.f.size, Closed: r.closed, BadHead: r.bad}
		if r.first != 0 {
			f.Records = r.last - r.first + 1
		}
		files = append(files, f)
	}
	chain := findChain(runs)
	last := checkpointOf(runs)
	if len(chain) > 0 {
		last = max(last, chain[len(chain)-1].last)
	}
	err = checkCut(chain, runs, last)
	if err == nil {
		err = applyChain(chain, checkpointOf(runs), fn)
	}
	return files, err
}
