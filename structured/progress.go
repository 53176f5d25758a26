package structured

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// QueryProgress is what one micro-batch of a streaming query did. Its JSON form is Spark's StreamingQueryProgress.
type QueryProgress struct {
	ID              string
	RunID           string
	Name            string
	Timestamp       time.Time // when the batch began
	BatchID         int64
	BatchDuration   time.Duration
	InputRows       int64
	InputRate       float64          // rows a second that arrived since the batch before
	ProcessedRate   float64          // rows a second of this batch
	Durations       map[string]int64 // milliseconds by phase, such as triggerExecution
	EventTime       map[string]string
	State           []StateProgress
	Sources         []SourceProgress
	Sink            SinkProgress
	ObservedMetrics map[string]json.RawMessage
}

// StateProgress is one stateful operator's part of a batch.
type StateProgress struct {
	Operator            string
	Rows                int64 // rows of state held
	Updated             int64
	UpdatesTime         time.Duration
	Removed             int64
	RemovalsTime        time.Duration
	CommitTime          time.Duration
	MemoryBytes         int64
	DroppedByWatermark  int64
	ShufflePartitions   int64
	StateStoreInstances int64
	CustomMetrics       map[string]int64
}

// SourceProgress is one source's part of a batch. Offsets are JSON as the source writes them; empty means null.
type SourceProgress struct {
	Description   string
	Start         string
	End           string
	Latest        string
	InputRows     int64
	InputRate     float64
	ProcessedRate float64
	Metrics       map[string]string
}

// SinkProgress is the sink's part of a batch; OutputRows is -1 when the sink does not count.
type SinkProgress struct {
	Description string
	OutputRows  int64
	Metrics     map[string]string
}

// sparkFloat prints a float as Java does, with a point even when it is whole: clients tell floats from ints by it. NaN and
// infinities, which JSON lacks, become null.
type sparkFloat float64

func (f sparkFloat) MarshalJSON() ([]byte, error) {
	v := float64(f)
	if v-v != 0 {
		return []byte("null"), nil
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return []byte(s), nil
}

type progressJSON struct {
	ID            string                     `json:"id"`
	RunID         string                     `json:"runId"`
	Name          *string                    `json:"name"`
	Timestamp     string                     `json:"timestamp"`
	BatchID       int64                      `json:"batchId"`
	BatchDuration int64                      `json:"batchDuration"`
	InputRows     int64                      `json:"numInputRows"`
	InputRate     sparkFloat                 `json:"inputRowsPerSecond"`
	ProcessedRate sparkFloat                 `json:"processedRowsPerSecond"`
	Durations     map[string]int64           `json:"durationMs"`
	EventTime     map[string]string          `json:"eventTime"`
	State         []stateJSON                `json:"stateOperators"`
	Sources       []sourceJSON               `json:"sources"`
	Sink          sinkJSON                   `json:"sink"`
	Observed      map[string]json.RawMessage `json:"observedMetrics"`
}

type stateJSON struct {
	Operator            string           `json:"operatorName"`
	Rows                int64            `json:"numRowsTotal"`
	Updated             int64            `json:"numRowsUpdated"`
	UpdatesTime         int64            `json:"allUpdatesTimeMs"`
	Removed             int64            `json:"numRowsRemoved"`
	RemovalsTime        int64            `json:"allRemovalsTimeMs"`
	CommitTime          int64            `json:"commitTimeMs"`
	MemoryBytes         int64            `json:"memoryUsedBytes"`
	Dropped             int64            `json:"numRowsDroppedByWatermark"`
	ShufflePartitions   int64            `json:"numShufflePartitions"`
	StateStoreInstances int64            `json:"numStateStoreInstances"`
	Custom              map[string]int64 `json:"customMetrics"`
}

type sourceJSON struct {
	Description   string            `json:"description"`
	Start         json.RawMessage   `json:"startOffset"`
	End           json.RawMessage   `json:"endOffset"`
	Latest        json.RawMessage   `json:"latestOffset"`
	InputRows     int64             `json:"numInputRows"`
	InputRate     sparkFloat        `json:"inputRowsPerSecond"`
	ProcessedRate sparkFloat        `json:"processedRowsPerSecond"`
	Metrics       map[string]string `json:"metrics"`
}

type sinkJSON struct {
	Description string            `json:"description"`
	OutputRows  int64             `json:"numOutputRows"`
	Metrics     map[string]string `json:"metrics"`
}

// timestampFormat is the form of times in Spark's events: UTC, milliseconds.
const timestampFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON is Spark's form: every key is present, absent values are null or empty.
func (p QueryProgress) MarshalJSON() ([]byte, error) {
	j := progressJSON{ID: p.ID, RunID: p.RunID, Timestamp: p.Timestamp.UTC().Format(timestampFormat), BatchID: p.BatchID,
		BatchDuration: p.BatchDuration.Milliseconds(), InputRows: p.InputRows, InputRate: sparkFloat(p.InputRate),
		ProcessedRate: sparkFloat(p.ProcessedRate), Durations: orEmpty(p.Durations), EventTime: orEmpty(p.EventTime),
		State: []stateJSON{}, Sources: []sourceJSON{}, Observed: orEmpty(p.ObservedMetrics),
		Sink: sinkJSON{p.Sink.Description, p.Sink.OutputRows, orEmpty(p.Sink.Metrics)}}
	if p.Name != "" {
		j.Name = &p.Name
	}
	for _, s := range p.State {
		j.State = append(j.State, stateJSON{s.Operator, s.Rows, s.Updated, s.UpdatesTime.Milliseconds(), s.Removed,
			s.RemovalsTime.Milliseconds(), s.CommitTime.Milliseconds(), s.MemoryBytes, s.DroppedByWatermark,
			s.ShufflePartitions, s.StateStoreInstances, orEmpty(s.CustomMetrics)})
	}
	for _, s := range p.Sources {
		j.Sources = append(j.Sources, sourceJSON{s.Description, offsetJSON(s.Start), offsetJSON(s.End), offsetJSON(s.Latest),
			s.InputRows, sparkFloat(s.InputRate), sparkFloat(s.ProcessedRate), orEmpty(s.Metrics)})
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads Spark's form, as servers send it.
func (p *QueryProgress) UnmarshalJSON(data []byte) error {
	var j progressJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	ts, _ := time.Parse(time.RFC3339Nano, j.Timestamp)
	*p = QueryProgress{ID: j.ID, RunID: j.RunID, Timestamp: ts, BatchID: j.BatchID,
		BatchDuration: time.Duration(j.BatchDuration) * time.Millisecond, InputRows: j.InputRows,
		InputRate: float64(j.InputRate), ProcessedRate: float64(j.ProcessedRate), Durations: j.Durations,
		EventTime: j.EventTime, ObservedMetrics: j.Observed, Sink: SinkProgress(j.Sink)}
	if j.Name != nil {
		p.Name = *j.Name
	}
	for _, s := range j.State {
		p.State = append(p.State, StateProgress{Operator: s.Operator, Rows: s.Rows, Updated: s.Updated,
			UpdatesTime: time.Duration(s.UpdatesTime) * time.Millisecond, Removed: s.Removed,
			RemovalsTime: time.Duration(s.RemovalsTime) * time.Millisecond, CommitTime: time.Duration(s.CommitTime) * time.Millisecond,
			MemoryBytes: s.MemoryBytes, DroppedByWatermark: s.Dropped, ShufflePartitions: s.ShufflePartitions,
			StateStoreInstances: s.StateStoreInstances, CustomMetrics: s.Custom})
	}
	for _, s := range j.Sources {
		p.Sources = append(p.Sources, SourceProgress{s.Description, offsetText(s.Start), offsetText(s.End), offsetText(s.Latest),
			s.InputRows, float64(s.InputRate), float64(s.ProcessedRate), s.Metrics})
	}
	return nil
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

// offsetJSON is an offset as it stands in the event: JSON itself, or a string when the source's form is not JSON.
func offsetJSON(s string) json.RawMessage {
	switch {
	case s == "":
		return json.RawMessage("null")
	case json.Valid([]byte(s)):
		return json.RawMessage(s)
	}
	quoted, _ := json.Marshal(s)
	return quoted
}

func offsetText(j json.RawMessage) string {
	if string(j) == "null" {
		return ""
	}
	return string(j)
}
