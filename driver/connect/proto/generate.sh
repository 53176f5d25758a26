#!/bin/sh
# Regenerates the Go code of the .proto files (make proto). Needs protoc 3.21 or later (Debian: protobuf-compiler); the two
# plugins are built at the versions pinned here.
set -e
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
GOBIN="$bin" go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN="$bin" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
module=github.com/streamflow/streamflow/driver/connect/proto
PATH="$bin:$PATH" protoc -I . \
	--go_out=. --go_opt=module=$module \
	--go-grpc_out=. --go-grpc_opt=module=$module \
	spark/connect/*.proto streamflow/connect/*.proto
