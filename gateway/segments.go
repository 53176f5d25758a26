package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// PartitionSegments is what this node holds of one partition.
type PartitionSegments struct {
	Partition int32                  `json:"partition"`
	Damage    string                 `json:"damage,omitempty"`
	Segments  []logstore.SegmentInfo `json:"segments"`
}

// segments answers GET /api/v1/topics/{topic}/segments: the segments of the topic's partitions that this node holds, with
// where they are in their life.
func (o Options) segments(w http.ResponseWriter, r *http.Request) {
	t, err := o.Broker.Topic(r.PathValue("topic"))
	if err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	out := []PartitionSegments{}
	for i := range t.Partitions {
		p := o.Broker.Log().Partition(logstore.TopicPartition{Topic: t.Name, Partition: i})
		if p == nil {
			continue // another node's
		}
		ps := PartitionSegments{Partition: i, Segments: p.Segments()}
		if err := p.Damaged(); err != nil {
			ps.Damage = err.Error()
		}
		out = append(out, ps)
	}
	answer(w, out)
}

// checksum answers GET /api/v1/topics/{topic}/partitions/{partition}/checksum?from=&to=: see logstore.Partition.Checksum. With
// borders it tells only what can be asked for.
func (o Options) checksum(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("partition"), 10, 32)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	p := o.Broker.Log().Partition(logstore.TopicPartition{Topic: r.PathValue("topic"), Partition: int32(n)})
	if p == nil {
		refuse(w, http.StatusNotFound, usererr.New("UNKNOWN_PARTITION", "42P01", "This node holds no partition %d of %s.", n, r.PathValue("topic")))
		return
	}
	at := p.Summable()
	if r.FormValue("borders") != "" {
		answer(w, at)
		return
	}
	from, to := at.From, at.To
	for name, v := range map[string]*int64{"from": &from, "to": &to} {
		if text := r.FormValue(name); text != "" {
			if *v, err = strconv.ParseInt(text, 10, 64); err != nil {
				refuse(w, http.StatusBadRequest, err)
				return
			}
		}
	}
	sum, err := p.Checksum(from, to)
	if err != nil {
		refuse(w, http.StatusConflict, err)
		return
	}
	answer(w, sum)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

// refusal is the body of an answer that is none.
type refusal struct {
	Code  string `json:"code,omitempty"`
	Error string `json:"error"`
	Fix   string `json:"fix,omitempty"`
}

func refuse(w http.ResponseWriter, status int, err error) {
	b := refusal{Error: err.Error()}
	if ue, ok := usererr.As(err); ok {
		b = refusal{Code: ue.Code, Error: ue.Message, Fix: ue.Fix}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(b)
}

// statusOf is the status code of an error: what is not there, what a client got wrong, what the node failed at.
func statusOf(err error) int {
	ue, ok := usererr.As(err)
	switch {
	case !ok:
		return http.StatusInternalServerError
	case strings.HasSuffix(ue.Code, "NOT_FOUND"):
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}
