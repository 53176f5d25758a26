package group

// Req names a request in the shell; the reply to it carries the same number.
type Req uint64

// Event is one of Join, Sync, Heartbeat, Leave, Tick.
type Event interface{ event() }

// Protocol is an assignor that a member can use, and its subscription for it.
type Protocol struct {
	Name     string
	Metadata []byte
}

// Join asks to be in the next generation.
type Join struct {
	Req              Req
	MemberID         string // empty for a new member
	NewMemberID      string // what to call it then
	InstanceID       string // static membership; empty for none
	RequireKnownID   bool   // a new dynamic member must come again with the id it is given
	SkipAssignment   bool   // the client understands a leader that need not assign
	ClientID         string
	ClientHost       string
	SessionTimeout   int64 // milliseconds
	RebalanceTimeout int64
	ProtocolType     string
	Protocols        []Protocol // in order of preference
}

// Sync asks for the member's assignment; the leader's brings everybody's.
type Sync struct {
	Req          Req
	MemberID     string
	InstanceID   string
	Generation   int32
	ProtocolType string // empty: not checked
	ProtocolName string // empty: not checked
	Assignments  []Assignment
}

// Assignment is what the leader decided for a member.
type Assignment struct {
	MemberID string
	Data     []byte
}

// Heartbeat keeps a session alive.
type Heartbeat struct {
	Req        Req
	MemberID   string
	InstanceID string
	Generation int32
}

// Leave removes members.
type Leave struct {
	Req     Req
	Members []Identity
}

// Identity names a member by id, by instance id, or by both.
type Identity struct {
	MemberID   string
	InstanceID string
}

// Tick says that time has passed; it is due at Deadline.
type Tick struct{}

func (Join) event()      {}
func (Sync) event()      {}
func (Heartbeat) event() {}
func (Leave) event()     {}
func (Tick) event()      {}

// Action is one of JoinReply, SyncReply, HeartbeatReply, LeaveReply.
type Action interface{ action() }

// JoinReply answers a Join.
type JoinReply struct {
	Req            Req
	Code           Code
	MemberID       string
	Generation     int32
	ProtocolType   string
	Protocol       string
	Leader         string
	SkipAssignment bool
	Members        []JoinedMember // for the leader only
}

// JoinedMember is what a leader needs to assign.
type JoinedMember struct {
	MemberID   string
	InstanceID string
	Metadata   []byte
}

// SyncReply answers a Sync.
type SyncReply struct {
	Req          Req
	Code         Code
	ProtocolType string
	Protocol     string
	Assignment   []byte
}

// HeartbeatReply answers a Heartbeat.
type HeartbeatReply struct {
	Req  Req
	Code Code
}

// LeaveReply answers a Leave, with a code for each member asked for.
type LeaveReply struct {
	Req   Req
	Codes []Code
}

func (JoinReply) action()      {}
func (SyncReply) action()      {}
func (HeartbeatReply) action() {}
func (LeaveReply) action()     {}
