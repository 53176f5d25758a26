# StreamFlow. `make` alone prints the targets.
SHELL := /bin/bash
BIN   := bin
export CGO_ENABLED ?= 0
LDFLAGS := -s -w
RACE_PACKAGES := ./scheduler/... ./executor/... ./shuffle/... ./driver/... ./logstore/... ./structured/stream/... ./structured/connector/...
FUZZTIME ?= 20s
DEMO_DATA ?= testdata/flights/flights.parquet

.PHONY: help
help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/streamflow and bin/sfsubmit
	@mkdir -p $(BIN)
	go build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/streamflow ./cmd/sfsubmit

.PHONY: demo
demo: build ## the main job over history and live on real flights, and the comparison of both
	@DEMO_DATA=$(DEMO_DATA) scripts/demo.sh

.PHONY: demo-data
demo-data: build ## fill the topic "demo" of a running node (STREAMFLOW_KAFKA, default 127.0.0.1:9092) with flights
	@DEMO_DATA=$(DEMO_DATA) scripts/demo-data.sh

.PHONY: test
test: ## unit and integration tests; packages with concurrency again under the race detector where a C compiler is found
	go test ./...
	@if command -v gcc >/dev/null 2>&1; then $(MAKE) --no-print-directory race; else echo "race detector skipped: no C compiler"; fi

.PHONY: race
race: ## tests of the concurrent packages under the race detector
	CGO_ENABLED=1 go test -race -short $(RACE_PACKAGES)

.PHONY: crash
crash: build ## kill the node at random moments while a live job runs (CRASH_ROUNDS, default 40) and check exactly-once
	go test ./cmd/streamflow -run TestCrash -count=1 -v -timeout 30m -crash-rounds=$${CRASH_ROUNDS:-40}

.PHONY: kill-points
kill-points: ## lose power under streaming queries at one operation on files in KILL_EVERY (1), let each image go on, and compare with history (KILL_SEED)
	go test . -run 'TestKillPoints$$' -count=1 -v -timeout 2h -kill.every=$${KILL_EVERY:-1} -kill.seed=$${KILL_SEED:-0}

.PHONY: metamorphic
metamorphic: ## random streaming queries for METAMORPHIC (10m) with random batches, partitions, restarts and failures, beside history
	go test ./structured/physical -run TestRandomStreams -count=1 -v -timeout 100h -metamorphic=$${METAMORPHIC:-10m}

.PHONY: sim
sim: ## simulate the loop of a query for SIM (10m): crashes, lost tasks, fenced drivers, pauses, other versions (SIM_SEED repeats one)
	go test ./structured/stream -run TestSimulatedCrashes -count=1 -v -timeout 100h -sim.for=$${SIM:-10m} -sim.seed=$${SIM_SEED:-0}

.PHONY: soak
soak: ## run a node with queries of many kinds under SOAK_RATE (5000) rows a second for SOAK (10m); fails when memory, goroutines, files, state or disk grow
	go test . -run 'TestSoak$$' -count=1 -timeout 100h -soak=$${SOAK:-10m} -soak.rate=$${SOAK_RATE:-5000}

.PHONY: compat-kafka
compat-kafka: build ## test suites of foreign Kafka clients against a node (COMPAT_NODES=3: a cluster; COMPAT_SUITES=kgo,librdkafka: some), held against testdata/compat
	go run ./scripts/compat $(COMPAT_FLAGS)

.PHONY: chaos-log
chaos-log: build ## torment a cluster of CHAOS_NODES (3) nodes, CHAOS_RUNS (20) seeds from CHAOS_SEED (1), and check what clients saw
	go run ./internal/chaoslog/run -runs $${CHAOS_RUNS:-20} -seed $${CHAOS_SEED:-1} -nodes $${CHAOS_NODES:-3} -duration $${CHAOS_DURATION:-20s}

.PHONY: pyspark-methods
pyspark-methods: build ## try every method of PySpark against the node at SPARK_REMOTE (default sc://127.0.0.1:15002), and write docs/guide/dataframe.md
	$${STREAMFLOW_PYTHON:-python3} testdata/pyspark/methods.py $${SPARK_REMOTE:-sc://127.0.0.1:15002} > bin/methods.tsv && mv bin/methods.tsv testdata/pyspark/methods.tsv
	go test ./structured -run TestSurface -update-surface

.PHONY: lint
lint: vet ## go vet, staticcheck and formatting
	go tool staticcheck ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: fmt
fmt: ## format all Go code
	gofmt -w .

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 20s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## micro-benchmarks of the hot kernels
	go test -run '^$$' -bench . -benchtime 0.5s ./column/... ./expr/... ./shuffle/... ./scheduler/... ./logstore/... ./structured/...

.PHONY: bench-log
bench-log: build ## the log beside Apache Kafka on this machine: throughput, latency, memory, and the machine's limits
	@scripts/bench-log.sh

.PHONY: bench-batch
bench-batch: ## TPC-H over Parquet beside DuckDB, 2 threads each (BENCH_SF, default 1; BENCH_MEMORY=512MiB: with spilling; BENCH_FLAGS)
	go run ./scripts/benchbatch -sf $${BENCH_SF:-1} -memory "$(BENCH_MEMORY)" $(BENCH_FLAGS)

.PHONY: bench-stream
bench-stream: ## Nexmark q0-q23 and cep0-cep3, exactly once from topic to topic: throughput, state, latency (BENCH_QUERIES, BENCH_EVENTS=2M, BENCH_PACE=10K, BENCH_FLAGS)
	go run ./cmd/sfsubmit nexmark --query $${BENCH_QUERIES:-all} --events $${BENCH_EVENTS:-2M} --pace $${BENCH_PACE:-10K} --pace-for 3s $(BENCH_FLAGS)

.PHONY: bench-latency
bench-latency: ## a 1-minute window count of 1,000 keys, topic to topic, exactly once: latency at 1,000 and 50,000 events/s beside the disk's (BENCH_FLAGS)
	go run ./cmd/streamflow bench latency $(BENCH_FLAGS)

.PHONY: diff-duckdb
diff-duckdb: ## generated queries (DIFF_N, 20000, from DIFF_SEED, 1) and functions over edge values, beside DuckDB (DIFF_FLAGS=-write keeps its answers for the tests)
	go run ./scripts/duckdiff -seed $${DIFF_SEED:-1} -n $${DIFF_N:-20000} $(DIFF_FLAGS)

.PHONY: tpcds
tpcds: ## the 99 queries of TPC-DS beside DuckDB's answers (TPCDS_SF, default 1; needs .venv of scripts/foreign-clients.sh)
	STREAMFLOW_PYTHON=$${STREAMFLOW_PYTHON:-$(CURDIR)/.venv/bin/python} go test . -run 'TestTPCDS$$' -count=1 -v -tpcds-scale $${TPCDS_SF:-1} -tpcds-dir .cache/tpcds-sf$${TPCDS_SF:-1} -tpcds-memory $${TPCDS_MEMORY:-1GiB}

.PHONY: check-tpch
check-tpch: build ## the 22 queries by sfsubmit sql in TPCH_MEMORY (2GiB) over TPCH_DIR, tables of scale TPCH_SF (1): answers beside DuckDB's, resident memory
	go run ./scripts/tpchcheck -tables "$(TPCH_DIR)" -sf $${TPCH_SF:-1} -memory $${TPCH_MEMORY:-2GiB} $(TPCH_FLAGS)

.PHONY: bench-spark
bench-spark: ## TPC-H over Parquet beside Apache Spark, 2 threads each (BENCH_SF, default 1; BENCH_FLAGS); Spark is installed from PyPI
	@python=$$(scripts/spark.sh) && go run ./scripts/benchbatch -sf $${BENCH_SF:-1} -spark "$$python" $(BENCH_FLAGS) || [ $$? = 3 ]

.PHONY: diff-spark
diff-spark: ## casts, operators and functions over edge values beside Apache Spark (SPARK_FLAGS=-write keeps its answers for the tests, -examples asks the examples of its documentation)
	@python=$$(scripts/spark.sh) && go run ./scripts/sparkdiff -python "$$python" $(SPARK_FLAGS) || [ $$? = 3 ]

.PHONY: bench-hits
bench-hits: ## scans and groupings in the manner of ClickBench beside DuckDB, over generated hits (BENCH_HITS, default 5000000)
	go run ./scripts/benchbatch -hits $${BENCH_HITS:-5000000} -memory "$(BENCH_MEMORY)" $(BENCH_FLAGS)

.PHONY: bench-smoke
bench-smoke: build ## throughput and latency of the whole path, as JSON lines
	go run ./cmd/streamflow bench smoke

.PHONY: proto
proto: ## generate Go code from the .proto files of Spark Connect
	bash driver/connect/proto/generate.sh

.PHONY: clean
clean: ## remove what the build made
	rm -rf $(BIN)
