package rdd

// StateShape says in how many partitions an operator keeps its state, and that the changes of the versions after From are
// written so. Of the first shape From is -1.
type StateShape struct {
	Parts int   `json:"parts"`
	From  int64 `json:"from"`
}

// Reshape adds to the shapes that an operator has had, oldest first, that after a version it has another number of
// partitions. An empty list stands for was partitions since ever.
func Reshape(list []StateShape, was, parts int, version int64) []StateShape {
	out := append([]StateShape{}, list...)
	if len(out) == 0 {
		out = append(out, StateShape{Parts: was, From: -1})
	}
	if last := len(out) - 1; last > 0 && out[last].From >= version { // nothing was written in it
		out = out[:last]
	}
	if out[len(out)-1].Parts == parts {
		return out
	}
	return append(out, StateShape{Parts: parts, From: version})
}

// PartsAt is the number of partitions that a version of the state was written in, now when the list is empty.
func PartsAt(list []StateShape, version int64, now int) int {
	for i, s := range list {
		if i == 0 || s.From < version {
			now = s.Parts
		}
	}
	return now
}
