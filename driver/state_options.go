package driver

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// stateOptions are the options of the statestore source, which are those of Spark's state data source beside our own words
// for them: query (path), operator (operatorId), version (batchId).
type stateOptions struct {
	query, operator string
	version         int64 // -1: the last committed one
	base            int64 // snapshotStartBatchId: the snapshot to begin with; -1: the newest that serves
	partition       int   // snapshotPartitionId: the only partition to read; -1: all
	changes         bool  // readChangeFeed
	from, to        int64 // changeStartBatchId, changeEndBatchId; to -1: the last committed one
}

// parseStateOptions reads them; names are in any case.
func parseStateOptions(given map[string]string) (o stateOptions, err error) {
	r := optionReader{given: map[string]string{}}
	for name, v := range given {
		r.given[strings.ToLower(name)] = v
	}
	o = stateOptions{query: r.text("query", "path"), operator: r.text("operator", "operatorId")}
	if o.query == "" || o.operator == "" {
		return o, usererr.New("STDS_REQUIRED_OPTION_UNSPECIFIED", "42601", "The state of a query is read with the options query and operator.").
			WithFix("Give both: state('query', 'operator').")
	}
	o.version, o.base = r.number("version", "batchId"), r.number("snapshotStartBatchId")
	o.partition = int(r.number("snapshotPartitionId"))
	o.from, o.to = r.number("changeStartBatchId"), r.number("changeEndBatchId")
	o.changes = strings.EqualFold(r.text("readChangeFeed"), "true")
	if store := r.text("storeName"); store != "" && !strings.EqualFold(store, "default") {
		r.fail("storeName", store, "An operator has one store, which is called default.")
	}
	if side := r.text("joinSide"); side != "" && !strings.EqualFold(side, "none") {
		r.fail("joinSide", side, "Both sides of a join are in its one state; the column _bucket tells them apart.")
	}
	return o, r.check(&o)
}

// check refuses options that do not go together.
func (r *optionReader) check(o *stateOptions) error {
	switch {
	case r.err != nil:
	case !o.changes && (o.from >= 0 || o.to >= 0):
		r.fail("changeStartBatchId", "without readChangeFeed", "Set readChangeFeed to true.")
	case o.changes && o.version >= 0:
		r.fail("batchId", "with readChangeFeed", "A change feed goes from changeStartBatchId to changeEndBatchId.")
	case o.changes && o.from < 0:
		return usererr.New("STDS_REQUIRED_OPTION_UNSPECIFIED", "42601", "'changeStartBatchId' must be specified.").WithFix("It is the first batch whose changes are read.")
	case o.changes && o.to >= 0 && o.to < o.from:
		r.fail("changeEndBatchId", strconv.FormatInt(o.to, 10), "It must not be before changeStartBatchId.")
	}
	return r.err
}

// optionReader reads options until one is wrong.
type optionReader struct {
	given map[string]string // by name in lower case
	err   error
}

// text is the first of the options that is given.
func (r *optionReader) text(names ...string) string {
	for _, n := range names {
		if v := r.given[strings.ToLower(n)]; v != "" {
			return v
		}
	}
	return ""
}

// number is an option that is a number of at least 0; -1 when it is not given.
func (r *optionReader) number(names ...string) int64 {
	v := r.text(names...)
	if v == "" {
		return -1
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		r.fail(names[len(names)-1], v, "It is a number, of 0 or more.")
	}
	return n
}

func (r *optionReader) fail(name, v, fix string) {
	if r.err == nil {
		r.err = usererr.New("STDS_INVALID_OPTION_VALUE", "42616", "Invalid value for the state source's option %s: %s.", name, v).WithFix("%s", fix)
	}
}
