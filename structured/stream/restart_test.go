package stream

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRestart lets a query fail at given seconds, and well in between where a time is negative.
func TestRestart(t *testing.T) {
	for _, c := range []struct {
		policy   Restart
		failures []int
		want     string
	}{
		{Restart{Strategy: RestartNone}, []int{1}, "end"},
		{Restart{Strategy: RestartFixed, Attempts: 2, Delay: time.Second}, []int{1, 2, 3}, "1s 1s end"},
		{Restart{Strategy: RestartFixed, Attempts: 2, Delay: time.Second}, []int{1, 2, -3, 4, 5, 6}, "1s 1s 1s 1s end"},
		{Restart{Strategy: RestartFixed, Delay: time.Second}, []int{1, 2, 3, 4}, "1s 1s 1s 1s"},
		{Restart{Strategy: RestartExponential, Attempts: 4, Delay: time.Second, MaxDelay: 5 * time.Second}, []int{1, 2, 3, 4, 5}, "1s 2s 4s 5s end"},
		{Restart{Strategy: RestartRate, Attempts: 2, Delay: time.Second, Interval: 10 * time.Second}, []int{1, -2, 3, -4, 20, -21, 22, 23}, "1s 1s 1s 1s end"},
	} {
		var f failures
		var got []string
		for _, s := range c.failures {
			if s < 0 {
				f.inRow = 0
				continue
			}
			now := time.Unix(int64(s), 0)
			f.add(now)
			pause, again := c.policy.after(&f, now)
			if !again {
				got = append(got, "end")
				break
			}
			got = append(got, fmt.Sprint(pause))
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.policy, got, c.want)
		}
	}
}
