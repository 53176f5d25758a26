package usererr

import (
	"sort"
	"strings"
)

// Nearest returns up to n of the candidates that resemble name, the most alike first, compared without case. Candidates
// that share nothing with it are left out.
func Nearest(name string, candidates []string, n int) []string {
	type scored struct {
		text string
		d    int
	}
	low := strings.ToLower(name)
	limit := 1 + len([]rune(low))/3
	var list []scored
	seen := map[string]bool{}
	for _, c := range candidates {
		if seen[c] {
			continue
		}
		seen[c] = true
		l := strings.ToLower(c)
		d := Distance(low, l, limit)
		if d > limit && len(low) > 2 && (strings.Contains(l, low) || strings.Contains(low, l) && len(l) > 2) {
			d = limit
		}
		if d <= limit {
			list = append(list, scored{c, d})
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].d != list[j].d {
			return list[i].d < list[j].d
		}
		return list[i].text < list[j].text
	})
	var out []string
	for i := 0; i < len(list) && i < n; i++ {
		out = append(out, list[i].text)
	}
	return out
}

// Distance is the number of edits (insert, delete, replace, swap neighbours) that turn a into b. Above limit it may return
// any number greater than limit.
func Distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > limit || -d > limit {
		return limit + 1
	}
	// Three rows of the usual table: before the last, last and current.
	old, last, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(last[j]+1, cur[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], old[j-2]+1)
			}
		}
		old, last, cur = last, cur, old
	}
	return last[len(y)]
}
