package gateway

import (
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/streamflow/streamflow/driver"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/structured/stream"
)

// Options of the gateway.
type Options struct {
	Broker  *broker.Broker
	Queries *stream.Machine
	Engine  *driver.Engine
	Metrics bool
}

// New returns the handler of the node's HTTP address.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // a client that has gone needs no answer
	})
	if o.Metrics {
		reg := prometheus.NewRegistry()
		reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{o})
		mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	}
	mux.HandleFunc("GET /api/v1/topics/{topic}/segments", o.segments)
	mux.HandleFunc("GET /api/v1/topics/{topic}/partitions/{partition}/checksum", o.checksum)
	mux.HandleFunc("GET /v1/queries", o.queries)
	mux.HandleFunc("GET /v1/queries/{query}/why", o.why)
	mux.HandleFunc("GET /v1/queries/{query}/state/{operator}", o.state)
	mux.HandleFunc("GET /v1/views/{view}", o.view)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
