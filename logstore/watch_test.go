package logstore

import (
	"slices"
	"testing"
)

func TestWatcherNotesEachChangeOnce(t *testing.T) {
	w := NewWatcher()
	var parts [3]Partition
	for i := range parts {
		parts[i].Watch(w, i)
	}
	change := func(i int) {
		parts[i].mu.Lock()
		parts[i].wake()
		parts[i].mu.Unlock()
	}
	for range 5 { // nobody takes: what is noted stays bounded
		change(2)
		change(0)
	}
	<-w.Wake()
	if got := w.Take(nil); !slices.Equal(got, []int{2, 0}) {
		t.Errorf("changed: %v, want 2 and 0 once each", got)
	}
	change(2)
	parts[0].Unwatch(w, 0)
	change(0)
	<-w.Wake()
	if got := w.Take(nil); !slices.Equal(got, []int{2}) {
		t.Errorf("changed: %v, want 2: 0 is no longer watched", got)
	}
	parts[1].fail(ErrClosed)
	if got := w.Take(nil); !slices.Equal(got, []int{1}) {
		t.Errorf("changed: %v, want the closed partition", got)
	}
	parts[0].failed = ErrClosed
	parts[0].Watch(w, 0)
	if got := w.Take(nil); !slices.Equal(got, []int{0}) {
		t.Errorf("changed: %v, want the partition that was closed before", got)
	}
}
