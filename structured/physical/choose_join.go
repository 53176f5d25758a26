package physical

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// BroadcastThreshold is the setting (Spark's) that says up to how many bytes a side is given to every partition. Where it is not
// set, a side that statistics know is given to every partition also when it is larger, if that costs less than cutting both.
const BroadcastThreshold = "spark.sql.autoBroadcastJoinThreshold"

const (
	defaultBroadcast = 10 << 20
	largestBroadcast = 64 << 20 // of a side whose size statistics tell
)

// What a join does for each row, in units of a row looked up.
const (
	costProbe   = 1.0
	costBuild   = 2.0
	costShuffle = 2.0
)

// choose decides how the sides meet: one side broadcast, or both cut by key; and which side the table is built of.
func (p *planner) choose(j *joining, hint string) {
	l, r := j.left, j.right
	canRight := slices.Contains(broadcastRight, j.l.Kind)
	canLeft := slices.Contains(broadcastLeft, j.l.Kind)
	keyless := len(j.op.LeftKeys) == 0
	limit := p.broadcastLimit()
	j.op.BuildLeft = p.smallerLeft(j)
	switch {
	case !keyless && hint == "merge":
		j.mergeSorted(p, "asked for by a hint")
	case l.Parts == 1 && r.Parts == 1:
		j.how = "in one partition"
		j.inputs = []*Node{l, r}
	case canRight && (hint == "broadcast_right" || keyless && !canLeft):
		j.broadcast(p, false)
	case canLeft && (hint == "broadcast_left" || keyless && !canRight):
		j.broadcast(p, true)
	case keyless && canLeft && canRight:
		j.broadcast(p, p.smallerLeft(j))
	case keyless || hint == "shuffle_hash":
		j.shuffle(p)
	case l.counted && r.counted:
		p.cheapest(j, canLeft, canRight)
	case canRight && fits(r, limit) && !(canLeft && fits(l, limit) && l.Bytes < r.Bytes):
		j.broadcast(p, false)
	case canLeft && fits(l, limit):
		j.broadcast(p, true)
	default:
		j.shuffle(p)
	}
	if why := p.rather(j, hint); why != "" {
		j.mergeSorted(p, why)
	}
}

// The kinds of join of which a side may be given to every partition: no row of it is put out for want of a partner.
var (
	broadcastRight = []logical.JoinKind{logical.Inner, logical.LeftOuter, logical.LeftSemi, logical.LeftAnti, logical.Cross}
	broadcastLeft  = []logical.JoinKind{logical.Inner, logical.RightOuter, logical.Cross}
)

// cheapest compares what the ways to join would cost, as far as the sides fit.
func (p *planner) cheapest(j *joining, canLeft, canRight bool) {
	limit, set := p.broadcastSetting()
	if !set {
		limit = largestBroadcast
	}
	l, r := float64(j.left.Rows), float64(j.right.Rows)
	built, other := r, l
	if j.op.BuildLeft {
		built, other = l, r
	}
	moved := 0.0
	if !j.left.partitionedAs(j.op.LeftKeys, p.parts) {
		moved += l
	}
	if !j.right.partitionedAs(j.op.RightKeys, p.parts) {
		moved += r
	}
	least, do := costShuffle*moved+costBuild*built+costProbe*other, j.shuffle
	shuffled := least
	try := func(left bool, build, probe, parts float64) {
		if c := costBuild*build*parts + costProbe*probe; c < least {
			least, do = c, func(p *planner) { j.broadcast(p, left) }
		}
	}
	if canRight && fits(j.right, limit) {
		try(false, r, l, float64(j.left.Parts))
	}
	if canLeft && fits(j.left, limit) {
		try(true, l, r, float64(j.right.Parts))
	}
	do(p)
	j.why = fmt.Sprintf("sides of about %d and %d rows, %s and %s", j.left.Rows, j.right.Rows, sizeText(j.left.Bytes), sizeText(j.right.Bytes))
	if least < shuffled {
		j.why += fmt.Sprintf("; costs %.0f%% of cutting both", max(100*least/shuffled, 1))
	}
}

// sizeText is a number of bytes for people.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return strconv.FormatFloat(f, 'f', min(i, 1), 64) + " " + units[i]
}

func (p *planner) broadcastLimit() int64 {
	limit, _ := p.broadcastSetting()
	return limit
}

// broadcastSetting is the session's threshold, and whether it was set.
func (p *planner) broadcastSetting() (limit int64, set bool) {
	if v, ok := byteSize(p.opt.Conf[BroadcastThreshold]); ok && v != defaultBroadcast {
		return v, true
	}
	return defaultBroadcast, false
}

// byteSize reads a number of bytes as Spark's settings have it: 10485760, 10485760b, 10m, 10MB, -1.
func byteSize(text string) (int64, bool) {
	text = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "b")
	shift := 0
	if n := len(text); n > 0 {
		if at := strings.IndexByte("kmgt", text[n-1]); at >= 0 {
			text, shift = strings.TrimSpace(text[:n-1]), 10*(at+1)
		}
	}
	v, err := strconv.ParseInt(text, 10, 64)
	return v << shift, err == nil
}

func oneOf(k logical.JoinKind, list ...logical.JoinKind) bool { return slices.Contains(list, k) }

func fits(n *Node, limit int64) bool { return n.Bytes >= 0 && n.Bytes <= limit }

// smallerLeft reports whether the table should be built of the left side. A semi join that builds it marks the rows that have
// a partner, and puts them out at the end: worth it when the left side is a good deal smaller.
func (p *planner) smallerLeft(j *joining) bool {
	l, r := j.left, j.right
	if j.op.half() {
		return l.counted && r.counted && l.Rows < r.Rows/2
	}
	if l.counted && r.counted {
		return l.Rows < r.Rows
	}
	return l.Bytes >= 0 && (r.Bytes < 0 || l.Bytes < r.Bytes)
}

func (j *joining) broadcast(p *planner, left bool) {
	j.op.BuildLeft = left
	if left {
		j.how = "broadcast left"
		j.inputs = []*Node{p.broadcast(j.left), j.right}
		return
	}
	j.how = "broadcast right"
	j.inputs = []*Node{j.left, p.broadcast(j.right)}
}
