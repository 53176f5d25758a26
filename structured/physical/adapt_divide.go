package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// Measured is what a finished stage wrote.
type Measured struct {
	Sizes []rdd.Size   // by reduce partition
	Maps  [][]rdd.Size // by map output, and reduce partition
	Total rdd.Size
}

// Measure adds up what the tasks of a stage wrote: of each the sizes by reduce partition.
func Measure(maps [][]rdd.Size) *Measured {
	m := &Measured{Maps: maps}
	for _, sizes := range maps {
		for len(m.Sizes) < len(sizes) {
			m.Sizes = append(m.Sizes, rdd.Size{})
		}
		for p, s := range sizes {
			m.Sizes[p].Rows += s.Rows
			m.Sizes[p].Bytes += s.Bytes
			m.Total.Rows += s.Rows
			m.Total.Bytes += s.Bytes
		}
	}
	return m
}

func (m *Measured) text() string {
	return fmt.Sprintf("%d row%s, %s", m.Total.Rows, plural(int(min(m.Total.Rows, 2))), sizeText(m.Total.Bytes))
}

// laneInput is a shuffle that the tasks of a stage read by reduce partition, as all its other shuffles.
type laneInput struct {
	*Measured
	split bool // its partitions may be read in slices, if each slice meets all of the other inputs
}

// division is how the tasks of a stage share its inputs: Reads of each input by task.
type division struct {
	reads [][]rdd.Read
	tasks int
	parts int
	skew  [][]string // what was cut in slices, by input, for explain
}

// divide decides what each task reads. Partitions that are much larger than the others are cut by map outputs, and every
// combination of slices is a task; small ones that are neighbours become one task:
//
//	partition   0    1    2            3    4
//	left        █    █    ████████     ▏    ▏      2 is skewed: each slice of it meets all of the right side's 2
//	right       █    ▏    █            █    ▏      3 and 4 are small
//	task        0    1    2  3  4  5   6
//
// Each byte of an input is read exactly once for each combination of the others' slices.
func (c *AdaptiveConf) divide(inputs []laneInput, slots int) division {
	d := division{reads: make([][]rdd.Read, len(inputs)), skew: make([][]string, len(inputs)), parts: len(inputs[0].Sizes)}
	cutsOf := c.slices(inputs, &d)
	target, small := c.target(inputs, slots), int64(0)
	first, size := 0, int64(0)
	flush := func(end int) {
		if first < end {
			d.add(func(int) rdd.Read { return rdd.Read{First: first, End: end} })
		}
		first, size = end, 0
	}
	for p := range d.parts {
		if cuts := cutsOf[p]; cuts != nil {
			flush(p)
			d.product(p, cuts)
			first = p + 1
			continue
		}
		small = 0
		for _, in := range inputs {
			small += in.Sizes[p].Bytes
		}
		if p > first && (!c.Coalesce || size+small > target) {
			flush(p)
		}
		size += small
	}
	flush(d.parts)
	return d
}

// target is how much a task should read: the advisory size, or less where that would leave slots idle, but not too little.
func (c *AdaptiveConf) target(inputs []laneInput, slots int) int64 {
	if !c.ParallelismFirst {
		return c.Advisory
	}
	total := int64(0)
	for _, in := range inputs {
		total += in.Total.Bytes
	}
	return max(min(c.Advisory, (total+int64(slots)-1)/int64(max(slots, 1))), c.MinPartition)
}

// add makes a task.
func (d *division) add(read func(input int) rdd.Read) {
	for i := range d.reads {
		d.reads[i] = append(d.reads[i], read(i))
	}
	d.tasks++
}

// product makes a task for every combination of the inputs' slices of partition p; cuts has of each input where its slices end.
func (d *division) product(p int, cuts [][]int) {
	at := make([]int, len(cuts))
	for {
		d.add(func(i int) rdd.Read {
			r := rdd.Read{First: p, End: p + 1}
			if len(cuts[i]) > 1 {
				if at[i] > 0 {
					r.FirstMap = cuts[i][at[i]-1]
				}
				r.EndMap = cuts[i][at[i]]
			}
			return r
		})
		i := 0
		for ; i < len(at); i++ {
			if at[i]++; at[i] < max(len(cuts[i]), 1) {
				break
			}
			at[i] = 0
		}
		if i == len(at) {
			return
		}
	}
}

// sliced reports whether partitions were cut in slices.
func (d *division) sliced() bool {
	return slices.ContainsFunc(d.skew, func(list []string) bool { return len(list) > 0 })
}

// maxSlices bounds the tasks that one partition becomes.
const maxSlices = 256

// slices finds the skewed partitions: for each partition nil, or for each input the map outputs where its slices end.
func (c *AdaptiveConf) slices(inputs []laneInput, d *division) [][][]int {
	out := make([][][]int, d.parts)
	for i, in := range inputs {
		if !c.SkewJoin || !in.split || d.parts < 2 {
			continue
		}
		limit := max(c.SkewThreshold, int64(c.SkewFactor*float64(median(in.Sizes))))
		target := c.sliceSize(in.Sizes, limit)
		for p, s := range in.Sizes {
			if s.Bytes <= limit {
				continue
			}
			ends := cutMaps(in.Maps, p, target)
			if tasks := len(ends) * product(out[p]); len(ends) < 2 || tasks > maxSlices {
				continue
			}
			if out[p] == nil {
				out[p] = make([][]int, len(inputs))
			}
			out[p][i] = ends
			d.skew[i] = append(d.skew[i], fmt.Sprintf("partition %d with %s in %d slices", p, sizeText(s.Bytes), len(ends)))
		}
	}
	return out
}

func product(cuts [][]int) int {
	n := 1
	for _, c := range cuts {
		n *= max(len(c), 1)
	}
	return n
}

// sliceSize is how large slices should be: as the partitions that are not skewed, but not below the advisory size.
func (c *AdaptiveConf) sliceSize(sizes []rdd.Size, limit int64) int64 {
	sum, n := int64(0), int64(0)
	for _, s := range sizes {
		if s.Bytes <= limit {
			sum, n = sum+s.Bytes, n+1
		}
	}
	return max(c.Advisory, sum/max(n, 1))
}

func median(sizes []rdd.Size) int64 {
	list := make([]int64, len(sizes))
	for i, s := range sizes {
		list[i] = s.Bytes
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// cutMaps divides the map outputs of a partition into slices of about target bytes, and returns where each ends.
func cutMaps(maps [][]rdd.Size, p int, target int64) (ends []int) {
	size := int64(0)
	for m, sizes := range maps {
		b := sizes[p].Bytes
		if size > 0 && size+b > target {
			ends = append(ends, m)
			size = 0
		}
		size += b
	}
	return append(ends, len(maps))
}
