// Package gateway is the node's HTTP face: /healthz says whether the node serves, /metrics is in Prometheus' text format,
// /debug/pprof profiles the process, /api/v1 tells of what the node holds,
// /v1/queries of its streaming queries. One mux, so that whatever is added shares its checks.
package gateway
