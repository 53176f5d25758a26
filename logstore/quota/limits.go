package quota

// Limits is a set of limits. It never changes; a change makes new Limits with a higher Version.
type Limits struct {
	Version uint64
	of      map[Entity]Values
	any     [kinds]bool // some entity limits the kind
}

// Values are the limits of one entity; 0 is none.
type Values [kinds]float64

// account is whose tokens are counted together.
type account struct{ user, client, ip string }

func newLimits(version uint64, of map[Entity]Values) *Limits {
	l := &Limits{Version: version, of: make(map[Entity]Values, len(of))}
	for e, v := range of {
		l.of[e] = v
		for k := range v {
			l.any[k] = l.any[k] || v[k] > 0
		}
	}
	return l
}

// Any says whether any entity limits the kind.
func (l *Limits) Any(k Kind) bool { return l.any[k] }

// find is the limit that a client is under, and with whom it shares it: of the entities that set it, the first in the order of
// KIP-55.
func (l *Limits) find(k Kind, user, client string) (rate float64, shared account) {
	u, c := Named(user), Named(client)
	for _, at := range [...]struct {
		e      Entity
		shared account
	}{
		{Entity{User: u, Client: c}, account{user: user, client: client}},
		{Entity{User: u, Client: Rest}, account{user: user, client: client}},
		{Entity{User: u}, account{user: user}},
		{Entity{User: Rest, Client: c}, account{user: user, client: client}},
		{Entity{User: Rest, Client: Rest}, account{user: user, client: client}},
		{Entity{User: Rest}, account{user: user}},
		{Entity{Client: c}, account{client: client}},
		{Entity{Client: Rest}, account{client: client}},
	} {
		if v := l.of[at.e][k]; v > 0 {
			return v, at.shared
		}
	}
	return 0, account{}
}

// findIP is the limit that an address is under.
func (l *Limits) findIP(k Kind, ip string) (rate float64, shared account) {
	for _, e := range [...]Entity{{IP: Named(ip)}, {IP: Rest}} {
		if v := l.of[e][k]; v > 0 {
			return v, account{ip: ip}
		}
	}
	return 0, account{}
}
