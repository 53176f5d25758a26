package replica

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

const simSteps = 500

func simSeeds(t *testing.T, seeds uint64) (from, to uint64) {
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n, n + 1
	}
	if s := os.Getenv("SIM_SEEDS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return 0, n
	}
	return 0, seeds
}

// TestSimulation runs thousands of random histories and checks the invariants I1 to I10, I12 and I13 after each step.
func TestSimulation(t *testing.T) {
	seeds := uint64(15_000)
	if testing.Short() {
		seeds = 1000
	}
	from, to := simSeeds(t, seeds)
	stats := map[string]int{}
	for seed := from; seed < to; seed++ {
		s := newSim(seed, sound)
		if err := s.run(simSteps); err != nil {
			t.Fatalf("seed %d: %v\n%s\nrepeat with: SEED=%d go test ./logstore/replica -run 'TestSimulation$'", seed, err, s, seed)
		}
		for k, v := range s.stats {
			stats[k] += v
		}
	}
	t.Log(fmt.Sprint(stats))
	if to-from > 100 {
		for _, what := range []string{"acks", "elections", "cuts", "crashes", "alters", "damages", "reassignments"} {
			if stats[what] < 10 {
				t.Errorf("only %d %s: the simulation tries too little", stats[what], what)
			}
		}
	}
}

// TestSimulationFindsBrokenRules breaks one rule after the other: a simulation that finds nothing then would prove nothing.
func TestSimulationFindsBrokenRules(t *testing.T) {
	for _, f := range []fault{
		hwByProposed, hwBelowMin, cutAtHW, countUnsynced, forgetRefused, tellEarly, actStale, damagedStays, damagedSilently, noEpochCheck,
		electAnyone, commitUnknown, joinBehind,
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20_000) {
				if err := newSim(seed, f).run(simSteps); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Error("no violation found")
		})
	}
}
