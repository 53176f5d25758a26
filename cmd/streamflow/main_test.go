package main

import (
	"testing"

	"github.com/streamflow/streamflow/internal/proctest"
)

func TestMain(m *testing.M) { proctest.Main(m) }

func TestScripts(t *testing.T) { proctest.Scripts(t) }
