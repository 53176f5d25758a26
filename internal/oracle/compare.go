package oracle

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Compare returns an error that says how got differs from want, nil when it does not. Columns are compared by place.
func Compare(got, want Result, ordered bool) error { return CompareWithin(got, want, ordered, 1) }

// CompareWithin is Compare where a decimal may lie from a double by half of its last digit for each of so many parts: those of
// a sum are rounded one by one.
func CompareWithin(got, want Result, ordered bool, parts int) error {
	if len(got.Types) != len(want.Types) {
		return fmt.Errorf("%d columns %v, want %d %v", len(got.Types), got.Columns, len(want.Types), want.Columns)
	}
	if len(got.Rows) != len(want.Rows) {
		return fmt.Errorf("%d rows, want %d", len(got.Rows), len(want.Rows))
	}
	same := make([]func(a, b string) bool, len(got.Types))
	for c := range same {
		same[c] = equality(got.Types[c], want.Types[c], float64(parts))
	}
	g, w := got.Rows, want.Rows
	if !ordered {
		g, w = sorted(g, same), sorted(w, same)
	}
	for i := range g {
		for c := range same {
			if !equal(g[i][c], w[i][c], same[c]) {
				return fmt.Errorf("row %d, column %s: %s, want %s\n got  %s\n want %s", i, got.Columns[c], show(g[i][c]), show(w[i][c]), line(g[i]), line(w[i]))
			}
		}
	}
	return nil
}

func equal(a, b *string, same func(a, b string) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b || same(*a, *b)
}

// equality is how values of two types are compared when their texts differ.
func equality(a, b string, parts float64) func(a, b string) bool {
	da, db := isDouble(a), isDouble(b)
	switch {
	case da && db:
		return func(x, y string) bool { return near(x, y, 0) }
	case da && isNumber(b):
		return func(x, y string) bool { return near(x, y, parts*halfDigit(y)) }
	case db && isNumber(a):
		return func(x, y string) bool { return near(x, y, parts*halfDigit(x)) }
	case isNumber(a) && isNumber(b):
		return sameNumber
	}
	return func(a, b string) bool { return false }
}

func isDouble(t string) bool {
	t = strings.ToLower(t)
	return t == "double" || t == "float"
}

func isNumber(t string) bool {
	t = strings.ToLower(t)
	return strings.HasPrefix(t, "decimal") || strings.HasSuffix(t, "int") || strings.HasSuffix(t, "integer")
}

// relative is how far doubles may lie from each other: sums depend on the order of their parts.
const relative = 1e-9

func near(a, b string, slack float64) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil {
		return false
	}
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= slack+relative*max(math.Abs(x), math.Abs(y))
}

// halfDigit is half of a decimal's last digit.
func halfDigit(decimal string) float64 {
	_, frac, _ := strings.Cut(decimal, ".")
	return 0.5 * math.Pow(10, -float64(len(frac)))
}

func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

// sorted orders rows by the columns whose texts are exact, then by the others, so that rows that are the same but for a
// double's last digits come to the same place.
func sorted(rows [][]*string, same []func(a, b string) bool) [][]*string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b []*string) int {
		for c := range same {
			if !equal(a[c], b[c], same[c]) {
				return order(show(a[c]), show(b[c]))
			}
		}
		return 0
	})
	return rows
}

// order puts numbers in the order of their values, however they are written, and other texts in that of their letters.
func order(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil && x != y:
		return cmp.Compare(x, y)
	case errX == nil != (errY == nil): // numbers first
		return strings.Compare(fmt.Sprint(errX != nil), fmt.Sprint(errY != nil))
	}
	return strings.Compare(a, b)
}

func show(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

func line(row []*string) string {
	var parts []string
	for _, s := range row {
		parts = append(parts, show(s))
	}
	return strings.Join(parts, "|")
}
