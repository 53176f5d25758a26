package file

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Options are a table's options, as Spark names them. They travel in operators.
type Options struct {
	Header      bool   // csv: the first line has names
	Sep         string // csv
	Quote       string // csv
	Escape      string // csv
	NullValue   string // csv: the text that means null, empty by default
	InferSchema bool   // csv
	Mode        string // csv, json: PERMISSIVE, DROPMALFORMED or FAILFAST
	MultiLine   bool   // csv: a quoted field may hold line breaks; json: a file is one value, an object or an array of them
	Compression string // none, gzip, zstd; parquet also snappy
	Location    *time.Location

	CorruptRecord    string // csv, json: the column that gets a record which cannot be read, in mode PERMISSIVE
	Comment          string // csv: lines that begin with it are skipped
	EmptyValue       string // csv: what a quoted empty text means, and how one is written
	TrimLeft         bool   // csv: spaces before and after fields that are not quoted are not part of them
	TrimRight        bool
	QuoteAll         bool // csv: fields are quoted when written
	NaN, PosInf      string
	NegInf           string // csv: texts of these numbers
	DateFormat       string // csv: patterns of dates and timestamps, ISO 8601 by default
	TimestampFormat  string
	PrimitivesAsText bool // json: numbers and booleans are inferred as text

	Which         choice // the files that are read
	IgnoreCorrupt bool   // a file that cannot be read to its end ends where it cannot
	IgnoreMissing bool   // a file that is gone when it is to be read has no rows
	MergeSchema   bool   // parquet: the columns of all files, not of the first
	WholeText     bool   // text: a file is one row
}

const (
	permissive    = "PERMISSIVE"
	dropMalformed = "DROPMALFORMED"
	failFast      = "FAILFAST"
)

// parseOptions reads options by their lower-cased names.
func parseOptions(provider string, in map[string]string) (Options, error) {
	o := Options{Sep: ",", Quote: `"`, Escape: `\`, Mode: permissive, Location: time.UTC, CorruptRecord: "_corrupt_record", NaN: "NaN", PosInf: "Inf", NegInf: "-Inf"}
	low := map[string]string{}
	for k, v := range in {
		low[strings.ToLower(k)] = v
	}
	var err error
	flag := func(name string, to *bool) {
		if v, ok := low[name]; ok && err == nil {
			if *to, err = strconv.ParseBool(strings.ToLower(v)); err != nil {
				err = badOption(name, v, "true or false")
			}
		}
	}
	text := func(to *string, names ...string) {
		for _, n := range names {
			if v, ok := low[n]; ok {
				*to = v
			}
		}
	}
	flag("header", &o.Header)
	flag("inferschema", &o.InferSchema)
	flag("multiline", &o.MultiLine)
	flag("ignoreleadingwhitespace", &o.TrimLeft)
	flag("ignoretrailingwhitespace", &o.TrimRight)
	flag("quoteall", &o.QuoteAll)
	flag("primitivesasstring", &o.PrimitivesAsText)
	flag("ignorecorruptfiles", &o.IgnoreCorrupt)
	flag("ignoremissingfiles", &o.IgnoreMissing)
	flag("mergeschema", &o.MergeSchema)
	flag("wholetext", &o.WholeText)
	flag("recursivefilelookup", &o.Which.Recursive)
	text(&o.Which.Glob, "pathglobfilter")
	if err == nil {
		err = o.Which.times(low["modifiedafter"], low["modifiedbefore"], o.Location)
	}
	text(&o.CorruptRecord, "columnnameofcorruptrecord")
	text(&o.Comment, "comment")
	text(&o.EmptyValue, "emptyvalue")
	text(&o.NaN, "nanvalue")
	text(&o.PosInf, "positiveinf")
	text(&o.NegInf, "negativeinf")
	text(&o.DateFormat, "dateformat")
	text(&o.TimestampFormat, "timestampformat")
	text(&o.Sep, "delimiter", "sep")
	text(&o.Quote, "quote")
	text(&o.Escape, "escape")
	text(&o.NullValue, "nullvalue")
	text(&o.Mode, "mode")
	text(&o.Compression, "codec", "compression")
	o.Mode, o.Compression = strings.ToUpper(o.Mode), strings.ToLower(o.Compression)
	if err != nil {
		return o, err
	}
	return o, o.check(provider)
}

func (o *Options) check(provider string) error {
	if o.Sep == `\t` {
		o.Sep = "\t"
	}
	switch {
	case len(o.Sep) != 1:
		return badOption("sep", o.Sep, "one ASCII character")
	case len(o.Quote) > 1:
		return badOption("quote", o.Quote, "one ASCII character, or empty for none")
	case len(o.Escape) > 1:
		return badOption("escape", o.Escape, "one ASCII character, or empty for none")
	case len(o.Comment) > 1:
		return badOption("comment", o.Comment, "one ASCII character, or empty for none")
	case o.Mode != permissive && o.Mode != dropMalformed && o.Mode != failFast:
		return badOption("mode", o.Mode, "PERMISSIVE, DROPMALFORMED or FAILFAST")
	}
	if err := o.Which.check(); err != nil {
		return err
	}
	if _, err := o.form(); err != nil {
		return err
	}
	switch o.Compression {
	case "", "none", "uncompressed", "gzip", "zstd":
		return nil
	case "snappy":
		if provider == "parquet" {
			return nil
		}
	}
	return badOption("compression", o.Compression, "none, gzip or zstd (parquet: snappy too)")
}

// ignores reports whether a file that fails with err is to be left out.
func (o *Options) ignores(err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return o.IgnoreMissing
	}
	u, mistake := usererr.As(err)
	return o.IgnoreCorrupt && (!mistake || u.Code == unreadableFooter)
}

func badOption(name, value, want string) error {
	return usererr.New("INVALID_OPTION", "42616", "Option %s = %q is not %s.", name, value, want).With("option", name)
}

// extension is the end of the names of files written.
func (o *Options) extension(provider string) string {
	ext := "." + provider
	switch provider {
	case "parquet":
		return ext
	case "text":
		ext = ".txt"
	}
	switch o.Compression {
	case "gzip":
		return ext + ".gz"
	case "zstd":
		return ext + ".zst"
	}
	return ext
}

func (o *Options) quote() byte {
	if o.Quote == "" {
		return 0
	}
	return o.Quote[0]
}

func (o *Options) escape() byte {
	if o.Escape == "" {
		return 0
	}
	return o.Escape[0]
}

func malformed(path string, line int, format string, args ...any) error {
	return usererr.New("MALFORMED_RECORD_IN_PARSING", "22023", "A record cannot be read: %s.", fmt.Sprintf(format, args...)).
		WithFix("Use mode PERMISSIVE to read it as nulls, or DROPMALFORMED to set it aside.").In(fmt.Sprintf("%s:%d", path, line))
}
