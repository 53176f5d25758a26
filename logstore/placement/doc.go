// Package placement says which brokers hold the replicas of which partition.
//
// Brokers stand on a ring of hashes, each at many points (virtual nodes; more of them for a heavier broker). A partition's
// replicas are the first brokers met clockwise from its own hash, one in each rack while there are racks left:
//
//	      b2•      partition ×: b1, then b3 (b1 again is passed over; b4 is in b1's rack)
//	  b1•     •b3
//	×  ↷        •b1
//	  b4•     •b2
//
// When a broker comes or goes, only the lists change that it enters or leaves; the others are as they were, because their
// brokers' points have not moved. Assign evens out what hashing leaves uneven: a broker that has its share of a topic is passed
// over, and leaders are spread over the lists.
//
// The package is pure: same input, same output, on every node. It knows brokers and keys, no topics machine and no network.
package placement
