package acl

// Authorizer answers whether somebody may do something.
type Authorizer struct {
	Source      interface{ Rules() *Rules } // of the bindings; a Machine
	SuperUsers  []Principal                 // may do everything
	AllowIfNone bool                        // everybody may use a resource that no binding is for (allow.everyone.if.no.acl.found)
}

// Version changes when an answer may have changed.
func (a *Authorizer) Version() uint64 { return a.Source.Rules().Version }

// Super says whether who may do everything.
func (a *Authorizer) Super(who Principal) bool {
	for i := range a.SuperUsers {
		if a.SuperUsers[i] == who {
			return true
		}
	}
	return false
}

// Allowed says whether who, from host, may do op with a resource.
func (a *Authorizer) Allowed(who Principal, host string, op Operation, typ ResourceType, name string) bool {
	if a.Super(who) {
		return true
	}
	v := a.Source.Rules().decide(who, host, op, typ, name)
	if !v.found {
		return a.AllowIfNone
	}
	return v.allowed && !v.denied
}

// AllowedOnAny says whether there is any resource of the type with which who may do op (KIP-679): one whose allowing binding
// no denying binding takes back for all the names it stands for.
func (a *Authorizer) AllowedOnAny(who Principal, host string, op Operation, typ ResourceType) bool {
	if a.Super(who) {
		return true
	}
	return a.Source.Rules().anyOf(who, host, op, typ, a.AllowIfNone)
}

// Operations are what who may do with a resource, as the protocol's bit field.
func (a *Authorizer) Operations(who Principal, host string, typ ResourceType, name string) int32 {
	var bits int32
	for _, op := range typ.Operations() {
		if a.Allowed(who, host, op, typ, name) {
			bits |= 1 << op
		}
	}
	return bits
}
