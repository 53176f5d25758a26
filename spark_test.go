package streamflow_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/oracle"
)

// TestSparkAnswers runs casts, operators, functions and conversions over edge values, whose answers Apache Spark gave. Those that StreamFlow is known not to
// give are marked in the file; make diff-spark prints them, and SPARK_FLAGS=-write asks Spark and marks anew.
func TestSparkAnswers(t *testing.T) {
	answers, err := oracle.LoadGolden("testdata/spark/answers.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	s, err := streamflow.Local(streamflow.Config{Slots: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	bad, differ := 0, 0
	for i, g := range answers {
		if g.Differs {
			differ++
			continue
		}
		got, err := g.Judge(context.Background(), s.Session)
		if err == nil {
			err = g.Compare(got)
		}
		if err == nil {
			continue
		}
		if bad++; bad < 20 {
			t.Errorf("answer %d, %s: %s\n%v\nANSI %s, %s", i, g.Name, g.SQL, err, g.Conf["spark.sql.ansi.enabled"], g.Conf["spark.sql.session.timeZone"])
		}
	}
	if same := len(answers) - differ; same < 5000 || differ*4 > len(answers) {
		t.Errorf("only %d answers are those of Spark, %d are known to differ", same, differ)
	}
}
