package gateway

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/stream"
)

// QueryInfo is a line of the list of streaming queries.
type QueryInfo struct {
	Name   string           `json:"name"`
	Status string           `json:"status"`
	Error  string           `json:"error,omitempty"`
	Node   int32            `json:"node"`
	Batch  int64            `json:"batch"` // the last committed one, -1 before the first
	Totals map[string]int64 `json:"totals"`
}

// queries answers GET /v1/queries: every query that has a record.
func (o Options) queries(w http.ResponseWriter, _ *http.Request) {
	out := []QueryInfo{}
	for _, r := range o.Queries.Queries() {
		out = append(out, infoOf(&r))
	}
	answer(w, out)
}

func infoOf(r *stream.Record) QueryInfo {
	i := QueryInfo{Name: r.Name, Status: r.Status, Error: r.Error, Node: r.Node, Batch: r.NextBatch() - 1, Totals: r.Totals}
	if i.Totals == nil {
		i.Totals = map[string]int64{}
	}
	return i
}

// why answers GET /v1/queries/{query}/why: where a query's time goes and what it waits for; see driver.Why.
func (o Options) why(w http.ResponseWriter, r *http.Request) {
	out, err := o.Engine.Why(r.Context(), r.PathValue("query"))
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	answer(w, out)
}

// state answers GET /v1/queries/{query}/state/{operator}?key=…: entries of an operator's state, while the query runs. key is
// given once for each column of the key; any other parameter but limit names a column and what it must be equal to.
func (o Options) state(w http.ResponseWriter, r *http.Request) {
	l := driver.StateLookup{Query: r.PathValue("query"), Operator: r.PathValue("operator"), Where: map[string]string{}}
	err := fillLookup(&l, r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	out, err := o.Engine.LookUpState(r.Context(), l)
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	answer(w, out)
}

func fillLookup(l *driver.StateLookup, params url.Values) error {
	for name, values := range params {
		switch name {
		case "key":
			l.Key = values
		case "limit":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 {
				return usererr.New("INVALID_PARAMETER_VALUE", "22023", "limit must be a number of entries, not %q.", values[0])
			}
			l.Limit = n
		default:
			l.Where[name] = values[0]
		}
	}
	return nil
}

// view answers GET /v1/views/{view}?column=…: rows of a materialised view. Any parameter but limit names a column and what it
// must be equal to.
func (o Options) view(w http.ResponseWriter, r *http.Request) {
	l := driver.StateLookup{Where: map[string]string{}}
	params := r.URL.Query()
	if err := fillLookup(&l, params); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if params.Has("key") { // a column may be called so
		l.Where["key"] = params.Get("key")
	}
	out, err := o.Engine.LookUpView(r.Context(), r.PathValue("view"), l.Where, l.Limit)
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	answer(w, out)
}
