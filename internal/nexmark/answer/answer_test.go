package answer

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/nexmark"
)

// TestAnswersStay holds answers against what they were: the events of a seed, and so every published figure, must not change
// from release to release. A change that is meant is written here.
func TestAnswersStay(t *testing.T) {
	const events = 60_000
	in := Load(nexmark.NewGenerator(nexmark.Config{Seed: 1, TPS: 1500}), events)
	var got strings.Builder
	for _, q := range append(nexmark.Queries(), nexmark.Patterns()...) {
		rows, err := in.Rows(q.Name)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, r := range rows {
			lines = append(lines, strings.Join(r, "|"))
		}
		slices.Sort(lines)
		h := fnv.New64a()
		for _, l := range lines {
			fmt.Fprintln(h, l)
		}
		fmt.Fprintf(&got, "%s %d %016x\n", q.Name, len(rows), h.Sum64())
	}
	if got.String() != want {
		t.Errorf("answers are\n%s", got.String())
	}
}

const want = `q0 55200 7e2e836291d8e99a
q1 55200 5d49bc63524000fc
q2 239 059169d7c2df921f
q3 407 f053b076d05ad6ed
q4 5 44a34165b3711768
q5 27 9de6a20dc1492f05
q6 3354 f0bb008519951590
q7 4 3c8e87efca4f4c58
q8 279 165ddcf20c5bcf98
q9 3354 39861443649a449c
q10 55200 12810f52309c3cd4
q11 1182 15cd8060aa7ae843
q12 2754 d7af75f822251e35
q13 55200 0c1a1a38cfc2371e
q14 15568 cd2d0f88ebfdf75a
q15 1 c1fac876ef369050
q16 9365 88767d5ff95aeaa7
q17 3599 1b4ba9b53d8ca3d9
q18 16791 00df1edead7ab510
q19 26342 e2441473e786e0b8
q20 12200 6421564a36b66a43
q21 52445 3d489c86ad9c503d
q22 55200 119306dd701740bd
q23 21449 b170775753d60ad4
cep0 11106 95475e2edbe6bf47
cep1 8887 d2a4128aebb3a313
cep2 12983 52b77657e8e7bf99
cep3 10611 f35c28d824317f56
`
