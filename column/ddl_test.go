package column

import (
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
)

func TestParseDDL(t *testing.T) {
	for ddl, want := range map[string]string{
		"":                                 "",
		"a INT":                            "a int",
		"a INT, b STRING NOT NULL":         "a int, b string NOT NULL",
		"`odd ``name` long":                "`odd ``name` bigint",
		"a: decimal(10, 2) comment 'x, y'": "a decimal(10,2)",
		"m MAP<STRING, ARRAY<STRUCT<x: INT, y: MAP<INT,INT>>>>":                                "m map<string,array<struct<x:int,y:map<int,int>>>>",
		"ts TIMESTAMP_NTZ, i INTERVAL DAY TO SECOND, j interval year to month, k interval day": "ts timestamp_ntz, i interval day to second, j interval year to month, k interval day",
		"v VARCHAR(10), c char(3), d dec, n numeric(5)":                                        "v string, c string, d decimal(10,0), n decimal(5,0)",
		"e STRUCT<>, date DATE": "e struct<>, date date",
		"größe DOUBLE":          "größe double",
	} {
		s, err := ParseDDL(ddl)
		if err != nil {
			t.Errorf("%q: %v", ddl, err)
		} else if got := s.String(); got != want {
			t.Errorf("%q is %q, want %q", ddl, got, want)
		}
	}
}

func TestParseDDLErrorsPointAtTheMistake(t *testing.T) {
	for ddl, col := range map[string]int{"a": 2, "a INTT": 3, "a INT b INT": 7, "a INT,": 7, "a ARRAY<INT": 12, "a DECIMAL(40,2)": 11, "a DECIMAL(5,6)": 13,
		"a MAP<INT>": 10, "a INT NOT": 10, "'a' INT": 1, "a INT COMMENT x": 15, "`a INT": 1, "é INT, b INTT": 10, "a STRUCT<x INT, y>": 18} {
		_, err := ParseDDL(ddl)
		e, ok := usererr.As(err)
		if !ok {
			t.Errorf("%q: %v", ddl, err)
		} else if e.Line != 1 || e.Col != col || e.Code != "PARSE_SYNTAX_ERROR" {
			t.Errorf("%q: %s at %d:%d, want column %d", ddl, e.Code, e.Line, e.Col, col)
		}
	}
	if _, err := ParseDDL("a INT, A STRING"); err == nil || !strings.Contains(err.Error(), "COLUMN_ALREADY_EXISTS") {
		t.Errorf("a column twice: %v", err)
	}
	if _, err := ParseType("ARRAY<INT> x"); err == nil {
		t.Error("text after a type is accepted")
	}
}

func FuzzParseDDL(f *testing.F) {
	f.Add("a INT, b ARRAY<STRUCT<c: MAP<STRING,DECIMAL(3,1)>>> NOT NULL COMMENT 'x'")
	f.Add("`a``b` interval day to second")
	f.Add(strings.Repeat("a ARRAY<", 100))
	f.Fuzz(func(t *testing.T, ddl string) {
		s, err := ParseDDL(ddl)
		if err != nil {
			return
		}
		for i := range s.Fields {
			if _, err := ParseType(s.Fields[i].Type.String()); err != nil && !strings.Contains(s.Fields[i].Type.String(), "struct<") {
				t.Fatalf("%q does not parse again: %v", s.Fields[i].Type, err)
			}
		}
	})
}
