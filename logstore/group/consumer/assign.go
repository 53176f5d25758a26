package consumer

import (
	"slices"
)

// Names of the assignors.
const (
	Uniform = "uniform" // as even as can be, and as few moves as that allows
	Range   = "range"   // of each topic a range, so that equal keys of several topics meet at one member
)

// subscriber is a member as an assignor sees it.
type subscriber struct {
	key        string
	partitions Set // that it subscribes to
	before     Set // its last target
}

// assignors compute the target of each member, in the order of the members, which is by key.
var assignors = map[string]func([]subscriber) []Set{Uniform: uniform, Range: ranges}

// uniform gives each partition to one subscriber. Counts differ by at most one where subscriptions are equal; where they
// are not, no partition could move and make two counts less different. Members keep what they had as far as that allows.
func uniform(members []subscriber) []Set {
	u := &uniformAssignment{members: members, has: make([][]Partition, len(members))}
	u.find()
	u.keep()
	u.assignRest()
	u.balance()
	out := make([]Set, len(members))
	for i := range members {
		out[i] = NewSet(u.has[i])
	}
	return out
}

type uniformAssignment struct {
	members     []subscriber
	has         [][]Partition       // by member
	subscribers map[Partition][]int // members
	rest        []Partition         // that nobody has yet
}

// find finds who subscribes to each partition. Mostly all subscribe to the same, and one list is enough.
func (u *uniformAssignment) find() {
	u.subscribers = map[Partition][]int{}
	if len(u.members) == 0 {
		return
	}
	everyone := make([]int, len(u.members))
	alike := true
	for i, m := range u.members {
		everyone[i] = i
		alike = alike && slices.Equal(m.partitions, u.members[0].partitions)
	}
	if alike {
		for _, p := range u.members[0].partitions {
			u.subscribers[p] = everyone
		}
		return
	}
	for i, m := range u.members {
		for _, p := range m.partitions {
			u.subscribers[p] = append(u.subscribers[p], i)
		}
	}
}

// keep leaves members what they had, up to their even share of what is subscribed to alike.
func (u *uniformAssignment) keep() {
	share, extra := u.share()
	taken := map[Partition]bool{}
	for i, m := range u.members {
		for _, p := range m.before.and(m.partitions) {
			switch {
			case taken[p]:
			case len(u.has[i]) < share:
				u.give(i, p, taken)
			case len(u.has[i]) == share && extra > 0:
				u.give(i, p, taken)
				extra--
			}
		}
	}
	for p := range u.subscribers {
		if !taken[p] {
			u.rest = append(u.rest, p)
		}
	}
	slices.SortFunc(u.rest, Partition.Compare)
}

// share is how many partitions each member gets when all subscribe to the same, and how many members get one more. Where
// subscriptions differ there is no such number, and balance does it all.
func (u *uniformAssignment) share() (share, extra int) {
	for _, m := range u.members {
		if len(m.partitions) != len(u.subscribers) {
			return len(u.subscribers), 0
		}
	}
	if len(u.members) == 0 {
		return 0, 0
	}
	return len(u.subscribers) / len(u.members), len(u.subscribers) % len(u.members)
}

func (u *uniformAssignment) give(i int, p Partition, taken map[Partition]bool) {
	u.has[i] = append(u.has[i], p)
	taken[p] = true
}

// assignRest gives each partition that nobody has to its subscriber with the fewest.
func (u *uniformAssignment) assignRest() {
	for _, p := range u.rest {
		if i := u.least(u.subscribers[p]); i >= 0 {
			u.has[i] = append(u.has[i], p)
		}
	}
}

func (u *uniformAssignment) least(members []int) int {
	best := -1
	for _, i := range members {
		if best < 0 || len(u.has[i]) < len(u.has[best]) {
			best = i
		}
	}
	return best
}

// balance moves partitions to subscribers that have fewer, as long as that makes two counts less different. Each move makes
// the sum of squares of the counts smaller, so it ends.
func (u *uniformAssignment) balance() {
	for moved := true; moved; {
		moved = false
		for i := range u.has {
			for k := len(u.has[i]) - 1; k >= 0; k-- {
				p := u.has[i][k]
				to := u.least(u.subscribers[p])
				if to >= 0 && len(u.has[to])+1 < len(u.has[i]) {
					u.has[i] = slices.Delete(u.has[i], k, k+1)
					u.has[to] = append(u.has[to], p)
					moved = true
				}
			}
		}
	}
}

// ranges gives each topic's subscribers, in order, equal ranges of its partitions; the first ones one more.
func ranges(members []subscriber) []Set {
	byTopic := map[TopicID][]int{}
	counts := map[TopicID]int{}
	for i, m := range members {
		var last *TopicID
		for _, p := range m.partitions {
			if last == nil || *last != p.Topic {
				last = &p.Topic
				byTopic[p.Topic] = append(byTopic[p.Topic], i)
			}
			counts[p.Topic] = max(counts[p.Topic], int(p.Index)+1)
		}
	}
	out := make([][]Partition, len(members))
	for topic, subscribers := range byTopic {
		share, extra := counts[topic]/len(subscribers), counts[topic]%len(subscribers)
		next := int32(0)
		for n, i := range subscribers {
			size := share
			if n < extra {
				size++
			}
			for range size {
				out[i] = append(out[i], Partition{topic, next})
				next++
			}
		}
	}
	sets := make([]Set, len(members))
	for i := range out {
		sets[i] = NewSet(out[i])
	}
	return sets
}
