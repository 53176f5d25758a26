package physical

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Format draws the plan as explain prints it: one line for each operator with its id, what it does, its partitions and
// estimated rows; below it what bounds its state and what it guarantees.
func (p *Physical) Format() string { return p.format(nil) }

// FormatRun draws a plan that was run, with the rows and the time of each operator, by its id.
func (p *Physical) FormatRun(ran map[string]rdd.OpTime) string { return p.format(ran) }

func (p *Physical) format(ran map[string]rdd.OpTime) string {
	var b strings.Builder
	bounds := map[string]string{}
	for _, s := range p.Stateful {
		bounds[s.Op] = s.Bound
	}
	d := drawing{&b, bounds, ran, map[*Node]bool{}, map[*Node]bool{}}
	d.draw(p.Root, "", "")
	return b.String()
}

// drawing is a plan being drawn. What several operators read is drawn once.
type drawing struct {
	b      *strings.Builder
	bounds map[string]string
	ran    map[string]rdd.OpTime // nil for a plan that was not run
	drawn  map[*Node]bool        // shared nodes that stand somewhere above
	seen   map[*Node]bool
}

func (d *drawing) draw(n *Node, first, rest string) {
	b := d.b
	if n.Kind == "Pass" {
		d.draw(n.Kids[0], first, rest)
		return
	}
	if d.seen[n] {
		fmt.Fprintf(b, "%s%s, as above\n", first, n.ID)
		return
	}
	d.seen[n] = true
	fmt.Fprintf(b, "%s%s", first, n.ID)
	if n.Detail != "" {
		b.WriteString(" " + n.Detail)
	}
	if n.Exchange == nil {
		fmt.Fprintf(b, " (%d partition%s%s%s)", n.Parts, plural(n.Parts), estimate(n.Rows), d.took(n))
	}
	b.WriteByte('\n')
	kids := n.Kids
	if n.fixed != nil {
		kids = append(append([]*Node{}, kids...), n.fixed)
	}
	stem := rest
	if len(kids) > 0 {
		stem += "│ "
	} else {
		stem += "  "
	}
	if bound := d.bounds[n.ID]; bound != "" {
		fmt.Fprintf(b, "%s  state: %s\n", stem, bound)
	}
	for _, note := range n.Notes {
		fmt.Fprintf(b, "%s  %s\n", stem, note)
	}
	if n.Exchange != nil && n.Kids[0].shared {
		if k := n.Kids[0]; d.drawn[k] {
			fmt.Fprintf(b, "%s└─ of %s, made once\n", rest, k.ID)
			return
		}
		d.drawn[n.Kids[0]] = true
	}
	if n.shares {
		fmt.Fprintf(b, "%s└─ of %s\n", rest, n.Kids[0].ID)
		return
	}
	for i, k := range kids {
		if i == len(kids)-1 {
			d.draw(k, rest+"└─ ", rest+"   ")
		} else {
			d.draw(k, rest+"├─ ", rest+"│  ")
		}
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// took is what an operator gave and how long it took, in all its tasks.
func (d *drawing) took(n *Node) string {
	if d.ran == nil {
		return ""
	}
	t := d.ran[n.ID]
	return fmt.Sprintf("; %d row%s in %s", t.Rows, plural(int(min(t.Rows, 2))), time.Duration(t.Nanos).Round(10*time.Microsecond))
}

func estimate(rows int64) string {
	if rows < 0 {
		return ""
	}
	return fmt.Sprintf(", about %d row%s", rows, plural(int(min(rows, 2))))
}

var ids = regexp.MustCompile(`[#@]\d+\b`)

// plain is an expression as text without attribute ids, which differ between runs, and without positions.
func plain(e expr.Expr) string { return ids.ReplaceAllString(e.String(), "") }
