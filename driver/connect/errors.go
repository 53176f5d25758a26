package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/internal/usererr"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Limits of what a status may carry: clients of gRPC's C core refuse more than 8 KiB of metadata.
const (
	maxStatusText = 2048
	maxParameters = 1024
)

// handleError is an error about sessions, operations and cursors, which clients tell by its text.
func handleError(code, format string, args ...any) *usererr.Error {
	return usererr.New(code, "HY000", format, args...)
}

// classesOf are the Java classes that a client turns an error into, most specific first: the first one it knows decides.
func classesOf(e *usererr.Error) []string {
	const sql, core = "org.apache.spark.sql.", "org.apache.spark."
	analysis := []string{sql + "AnalysisException", core + "SparkThrowable"}
	switch code, _, _ := strings.Cut(e.Code, "."); code {
	case "PARSE_SYNTAX_ERROR", "PARSE_EMPTY_STATEMENT", "UNCLOSED_BRACKETED_COMMENT", "INVALID_ATTRIBUTE_NAME_SYNTAX", "UNTERMINATED_STRING":
		return append([]string{sql + "catalyst.parser.ParseException"}, analysis...)
	case "CONNECT_INVALID_PLAN", "INVALID_PLAN_INPUT":
		return []string{sql + "connect.common.InvalidPlanInput", core + "SparkThrowable"}
	case "SQL_CONF_NOT_FOUND":
		return []string{core + "SparkNoSuchElementException", "java.util.NoSuchElementException"}
	case "DIVIDE_BY_ZERO", "REMAINDER_BY_ZERO", "ARITHMETIC_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE", "CAST_OVERFLOW", "INTERVAL_ARITHMETIC_OVERFLOW":
		return []string{core + "SparkArithmeticException", "java.lang.ArithmeticException"}
	case "CAST_INVALID_INPUT":
		return []string{core + "SparkNumberFormatException", "java.lang.NumberFormatException", "java.lang.IllegalArgumentException"}
	case "INVALID_ARRAY_INDEX", "INVALID_ARRAY_INDEX_IN_ELEMENT_AT":
		return []string{core + "SparkArrayIndexOutOfBoundsException", "java.lang.ArrayIndexOutOfBoundsException"}
	case "CANNOT_PARSE_TIMESTAMP", "DATETIME_FIELD_OUT_OF_BOUNDS", "DATETIME_OVERFLOW":
		return []string{core + "SparkDateTimeException", "java.time.DateTimeException"}
	case "INVALID_CONF_VALUE", "CANNOT_PARSE_INTERVAL", "INVALID_DELAY":
		return []string{core + "SparkIllegalArgumentException", "java.lang.IllegalArgumentException"}
	case "STREAM_FAILED":
		return []string{sql + "streaming.StreamingQueryException"}
	case "UNSUPPORTED_FEATURE":
		return append([]string{core + "SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException"}, analysis...)
	case "INVALID_HANDLE", "INVALID_CURSOR", "OPERATION_CANCELED":
		return []string{core + "SparkSQLException", "java.sql.SQLException"}
	}
	switch {
	case strings.HasPrefix(e.SQLState, "XX"):
		return []string{core + "SparkException"}
	case strings.HasPrefix(e.SQLState, "22"):
		return []string{core + "SparkRuntimeException", "java.lang.RuntimeException"}
	}
	return analysis
}

// asUserError gives every error the form in which clients get it. An error that is nobody's mistake keeps its text.
func asUserError(err error) *usererr.Error {
	if u, ok := usererr.As(err); ok {
		return u
	}
	if errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled {
		return usererr.New("OPERATION_CANCELED", "HY008", "Operation has been canceled.")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return usererr.New("OPERATION_CANCELED", "HY008", "Operation ran out of time.")
	}
	return usererr.New("INTERNAL_ERROR", "XX000", "%s", err.Error())
}

// sparkText is an error as Spark words it, with the place in the text.
func sparkText(e *usererr.Error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s", e.Code, e.Message)
	if e.Where != "" {
		fmt.Fprintf(&b, " (%s)", e.Where)
	}
	if e.Fix != "" {
		b.WriteString(" " + e.Fix)
	}
	if e.SQLState != "" {
		b.WriteString(" SQLSTATE: " + e.SQLState)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, " (line %d, pos %d)", e.Line, e.Col-1)
	}
	if line := textLine(e); line != "" {
		fmt.Fprintf(&b, "\n\n== SQL ==\n%s\n%s^^^", line, strings.Repeat("-", max(e.Col-1, 0)))
	}
	return b.String()
}

func textLine(e *usererr.Error) string {
	lines := strings.Split(e.Text, "\n")
	if e.Text == "" || e.Line < 1 || e.Line > len(lines) {
		return ""
	}
	return lines[e.Line-1]
}

func abbreviate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[:n-3]
	for !utf8.ValidString(s) && len(s) > 0 {
		s = s[:len(s)-1]
	}
	return s + "..."
}

// toStatus is err as an RPC answers it. keep stores the whole error for FetchErrorDetails under the id that the status
// names; it may be nil.
func toStatus(err error, keep func(id string, e *usererr.Error)) error {
	if err == nil {
		return nil
	}
	u := asUserError(err)
	classes := classesOf(u)
	list, _ := json.Marshal(classes)
	meta := map[string]string{"classes": string(list), "errorClass": u.Code, "sqlState": u.SQLState}
	if params, _ := json.Marshal(u.Params); u.Params != nil && len(params) <= maxParameters {
		meta["messageParameters"] = string(params)
	} else if u.Params == nil {
		meta["messageParameters"] = "{}"
	} else {
		delete(meta, "errorClass")
	}
	if keep != nil {
		id := uuid.NewString()
		keep(id, u)
		meta["errorId"] = id
	}
	st := status.New(codes.Internal, abbreviate(sparkText(u), maxStatusText))
	if with, err := st.WithDetails(&errdetails.ErrorInfo{Reason: classes[0], Domain: "org.apache.spark", Metadata: meta}); err == nil {
		st = with
	}
	return st.Err()
}

// errorDetails is the whole error as FetchErrorDetails answers it.
func errorDetails(u *usererr.Error) []*pb.FetchErrorDetailsResponse_Error {
	t := &pb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: ptr(u.Code), MessageParameters: u.Params}
	if u.SQLState != "" {
		t.SqlState = ptr(u.SQLState)
	}
	if start := offsetOf(u); start >= 0 {
		t.QueryContexts = []*pb.FetchErrorDetailsResponse_QueryContext{{ContextType: pb.FetchErrorDetailsResponse_QueryContext_SQL,
			StartIndex: int32(start), StopIndex: int32(len(u.Text) - 1), Fragment: u.Text[min(start, len(u.Text)):],
			Summary: fmt.Sprintf("== SQL (line %d, position %d) ==\n%s\n", u.Line, u.Col, textLine(u))}}
	}
	return []*pb.FetchErrorDetailsResponse_Error{{ErrorTypeHierarchy: classesOf(u), Message: sparkText(u), SparkThrowable: t}}
}

// offsetOf is the byte offset of the error's place in its text, or -1.
func offsetOf(u *usererr.Error) int {
	if u.Text == "" || u.Line < 1 {
		return -1
	}
	lines := strings.SplitAfter(u.Text, "\n")
	if u.Line > len(lines) {
		return -1
	}
	at := 0
	for _, l := range lines[:u.Line-1] {
		at += len(l)
	}
	for i := range lines[u.Line-1] {
		if u.Col <= 1 {
			return at + i
		}
		u = &usererr.Error{Line: u.Line, Col: u.Col - 1, Text: u.Text}
	}
	return at
}

// fromStatus is the error that a server answered, as the user's error that it was.
func fromStatus(err error) error {
	st, ok := status.FromError(err)
	if !ok || err == nil {
		return err
	}
	for _, d := range st.Details() {
		info, ok := d.(*errdetails.ErrorInfo)
		if !ok || info.GetDomain() != "org.apache.spark" {
			continue
		}
		m := info.GetMetadata()
		u := &usererr.Error{Code: m["errorClass"], SQLState: m["sqlState"], Message: stripText(st.Message(), m["errorClass"], m["sqlState"])}
		if u.Code == "" {
			u.Code = info.GetReason()
		}
		var params map[string]string
		if json.Unmarshal([]byte(m["messageParameters"]), &params) == nil && len(params) > 0 {
			u.Params = params
		}
		placeFromText(u, st.Message())
		return u
	}
	switch st.Code() {
	case codes.Canceled:
		return context.Canceled
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	case codes.Unavailable:
		return usererr.New("CONNECT_UNAVAILABLE", "08001", "The server cannot be reached: %s.", st.Message()).
			WithFix("Check the address, and that the node is up.")
	}
	return err
}

// stripText takes off what usererr.Error adds itself.
func stripText(text, code, state string) string {
	text = strings.TrimPrefix(text, "["+code+"] ")
	if i := strings.Index(text, "\n\n== SQL"); i >= 0 {
		text = text[:i]
	}
	if i := strings.LastIndex(text, " SQLSTATE: "+state); state != "" && i >= 0 {
		text = text[:i]
	}
	return text
}

// placeFromText finds "(line 1, pos 7)" and the line of SQL in a message.
func placeFromText(u *usererr.Error, text string) {
	i := strings.LastIndex(text, " (line ")
	if i < 0 {
		return
	}
	var line, pos int
	if n, _ := fmt.Sscanf(text[i:], " (line %d, pos %d)", &line, &pos); n != 2 {
		return
	}
	u.Line, u.Col = line, pos+1
	if _, after, ok := strings.Cut(text, "== SQL ==\n"); ok {
		sql, _, _ := strings.Cut(after, "\n")
		u.Text = strings.Repeat("\n", max(line-1, 0)) + sql
	}
}
