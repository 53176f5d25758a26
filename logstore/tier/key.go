package tier

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Keys of a partition's objects:
//
//	<topic id>/<partition>/manifest/<leader epoch>-<generation>     the greatest is the one that holds
//	<topic id>/<partition>/data/<base>-<leader epoch>-<generation>.<kind>
//
// A data key is used once: the generation is that of the manifest that announced it.

// partitionID names a partition for ever: a topic that is made anew has another id.
type partitionID struct {
	topic     uuid.UUID
	partition int32
}

func (id partitionID) String() string { return fmt.Sprintf("%s/%d", id.topic, id.partition) }

func topicPrefix(topic uuid.UUID) string { return topic.String() + "/" }

func (id partitionID) manifests() string { return path.Join(id.String(), "manifest") + "/" }
func (id partitionID) data() string      { return path.Join(id.String(), "data") + "/" }

// Version orders manifests: by the epoch of the leader that wrote them, then by the order in which it did.
type Version struct {
	Epoch      int32 // at least 0
	Generation uint64
}

// Before tells whether v loses against w.
func (v Version) Before(w Version) bool {
	return v.Epoch < w.Epoch || v.Epoch == w.Epoch && v.Generation < w.Generation
}

func (v Version) String() string { return fmt.Sprintf("%010d-%020d", v.Epoch, v.Generation) }

func parseVersion(s string) (Version, bool) {
	e, g, ok := strings.Cut(s, "-")
	if !ok || len(e) != 10 || len(g) != 20 {
		return Version{}, false
	}
	epoch, err1 := strconv.ParseInt(e, 10, 32)
	gen, err2 := strconv.ParseUint(g, 10, 64)
	return Version{Epoch: int32(epoch), Generation: gen}, err1 == nil && err2 == nil && epoch >= 0
}

func (id partitionID) manifestKey(v Version) string { return id.manifests() + v.String() }

func (id partitionID) dataKey(base int64, v Version, k Kind) string {
	return fmt.Sprintf("%s%020d-%s.%s", id.data(), base, v, k)
}

// writerOf is the version in a data key.
func writerOf(key string) (Version, bool) {
	name, _, ok := strings.Cut(path.Base(key), ".")
	if !ok || len(name) < 21 {
		return Version{}, false
	}
	return parseVersion(name[21:])
}
