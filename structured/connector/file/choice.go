package file

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

// choice says which of the files under a table's paths belong to it, as Spark's generic options of file sources do.
type choice struct {
	Glob          string // of the file's name; empty for all
	After, Before int64  // of the file's last change, microseconds; 0 for any
	Recursive     bool   // directories named column=value are directories like others
}

// times reads modifiedAfter and modifiedBefore, in a session's time zone.
func (c *choice) times(after, before string, loc *time.Location) (err error) {
	if c.After, err = modified("modifiedAfter", after, loc); err != nil {
		return err
	}
	c.Before, err = modified("modifiedBefore", before, loc)
	return err
}

func modified(option, text string, loc *time.Location) (int64, error) {
	if text == "" {
		return 0, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, loc); err == nil {
			return t.UnixMicro(), nil
		}
	}
	return 0, badOption(option, text, "a time such as 2026-01-31T12:00:00")
}

func (c choice) check() error {
	if _, err := filepath.Match(c.Glob, ""); err != nil {
		return badOption("pathGlobFilter", c.Glob, "a pattern of names such as *.csv")
	}
	return nil
}

// of are those of the files that are chosen.
func (c choice) of(files []entry) ([]entry, error) {
	if c == (choice{}) {
		return files, nil
	}
	var out []entry
	for _, f := range files {
		if ok, err := c.takes(f.path); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		if c.Recursive {
			f.values = nil
		}
		out = append(out, f)
	}
	return out, nil
}

func (c choice) takes(path string) (bool, error) {
	if c.Glob != "" {
		if ok, err := filepath.Match(c.Glob, filepath.Base(path)); err != nil || !ok {
			return false, err
		}
	}
	if c.After == 0 && c.Before == 0 {
		return true, nil
	}
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, usererr.New("FILE_NOT_READABLE", "58030", "%v.", err).In(strings.TrimPrefix(path, "file://"))
	}
	at := info.ModTime().UnixMicro()
	return (c.After == 0 || at > c.After) && (c.Before == 0 || at < c.Before), nil
}

// list are the files of the table that there are now.
func (t *Table) list() ([]entry, error) {
	files, err := list(t.paths)
	if err != nil {
		return nil, err
	}
	return t.opt.Which.of(files)
}
