package physical

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// UnboundedState is the setting that allows a streaming query state that nothing bounds, with the value "allow".
const UnboundedState = "streamflow.state.unbounded"

// StateTTL is the setting of how long state that nothing else bounds lives after its last change: '1 day'.
const StateTTL = "streamflow.state.ttl"

func notReadable(t logical.Table) error {
	return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table %s (%s) cannot be read.", t.Name(), t.Provider()).
		WithFix("Read another table: this one only takes rows.").With("table", t.Name())
}

func notStreamable(t logical.Table) error {
	return usererr.New("UNSUPPORTED_STREAMING_OPERATION", "0A000", "Table %s (%s) cannot be read as a stream.", t.Name(), t.Provider()).
		WithFix("Read it as a table, without STREAM or readStream.").With("table", t.Name())
}

func unsupported(what, fix string) error {
	return usererr.New("UNSUPPORTED_STREAMING_OPERATION", "0A000", "%s is not supported in a streaming query.", what).WithFix("%s", fix).With("operation", what)
}

func modeUnsupported(mode connector.OutputMode, what, fix string) error {
	return usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "Output mode %s is not supported for %s.", mode, what).
		WithFix("%s", fix).With("outputMode", mode.String())
}

func modeNeedsAggregation(mode connector.OutputMode) error {
	return modeUnsupported(mode, "a query without aggregation", "Use output mode append or update.")
}

func modeNeedsWatermark(a *aggregation) error {
	return modeUnsupported(connector.Append, "the aggregation by "+listOf(a.l.Keys)+", whose groups never become final without a watermark",
		"Declare a watermark and group by a window of its column, or use output mode update or complete.")
}

func withinNeedsWatermark() error {
	return usererr.New("UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK", "0A000", "dropDuplicatesWithinWatermark needs a watermark.").
		WithFix("Declare one with withWatermark, or WATERMARK FOR in the table.")
}

func unbounded(what string) error {
	return usererr.New("STREAMING_STATE_UNBOUNDED", "54000", "The state of this query grows for ever: it keeps %s.", what).
		WithFix("Bound it with a watermark and a window, with a time to live (SET %s = '1 day'), or allow it: SET %s = allow.", StateTTL, UnboundedState)
}

func badSetting(name, value, fix string) error {
	return usererr.New("INVALID_CONF_VALUE", "22022", "The setting %s cannot be %q.", name, value).WithFix("%s", fix).With("confName", name)
}

func eventTimeType(a *expr.Attr) error {
	return usererr.New("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09", "The event time %s must be a timestamp, not %s.", a.Name, a.Typ).
		WithFix("Cast it: CAST(%s AS TIMESTAMP).", a.Name).With("eventName", a.Name).With("eventType", a.Typ.String())
}

func needsBound(l *logical.Join, side string) error {
	return usererr.New("STREAMING_STATE_UNBOUNDED", "54000", "A %s join of two streams puts out %s rows without a partner when none can come any more, but nothing says when that is.", l.Kind, side).
		WithFix("Declare a watermark on both sides and compare their event times: ON a.id = b.id AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 1 HOUR; or use output mode update, which takes such rows back when a partner comes.").
		With("joinType", l.Kind.String())
}

func unboundedJoin(l *logical.Join, b bounds) error {
	what := "all rows of both sides of the " + l.Kind.String() + " join"
	switch {
	case b.left != nil:
		what = "all rows of the right side of the " + l.Kind.String() + " join"
	case b.right != nil:
		what = "all rows of the left side of the " + l.Kind.String() + " join"
	}
	return usererr.New("STREAMING_STATE_UNBOUNDED", "54000", "The state of this query grows for ever: it keeps %s.", what).
		WithFix("Declare a watermark on both sides and compare their event times: ON a.id = b.id AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 1 HOUR; give rows a time to live: SET %s = '1 day'; or allow it: SET %s = allow.", StateTTL, UnboundedState)
}
