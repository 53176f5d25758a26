package clock

import (
	"testing"
	"time"
)

func TestManualFiresWhatIsDue(t *testing.T) {
	m := NewManual(time.UnixMilli(1000))
	soon, _ := m.After(time.Second)
	late, _ := m.After(time.Minute)
	dropped, stop := m.After(time.Second)
	stop()
	m.Advance(2 * time.Second)
	select {
	case at := <-soon:
		if at.UnixMilli() != 3000 {
			t.Errorf("fired at %v", at)
		}
	default:
		t.Error("a timer that is due did not fire")
	}
	select {
	case <-late:
		t.Error("a timer fired early")
	case <-dropped:
		t.Error("a stopped timer fired")
	default:
	}
	if m.Now().UnixMilli() != 3000 {
		t.Errorf("it is %v", m.Now())
	}
}
