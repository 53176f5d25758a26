package usererr

import (
	"reflect"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"form", "from", 1}, {"selct", "select", 1}, {"dealy", "delay", 1}, {"abc", "xyz", 3}, {"größe", "grösse", 2}} {
		if got := Distance(c.a, c.b, 9); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	if got := Distance("a", "abcdef", 2); got <= 2 {
		t.Errorf("distance above the limit = %d", got)
	}
}

func TestNearest(t *testing.T) {
	cols := []string{"delay", "carrier", "origin", "Delayed", "ts"}
	for _, c := range []struct {
		name string
		want []string
	}{
		{"dealy", []string{"delay"}},
		{"DELAY", []string{"delay", "Delayed"}},
		{"carier", []string{"carrier"}},
		{"zzz", nil},
	} {
		if got := Nearest(c.name, cols, 3); !reflect.DeepEqual(got, c.want) {
			t.Errorf("Nearest(%q) = %v, want %v", c.name, got, c.want)
		}
	}
}
