// Package acl decides who may do what: Kafka's access control lists, without any I/O.
//
//	Binding  = pattern (type, name, literal | prefixed) + entry (principal, host, operation, allow | deny)
//	Rules    = an immutable set of bindings, arranged for fast matching
//	Machine  = the bindings in the metadata log: add, remove by filter, snapshot; publishes Rules with a version
//	Authorizer = Rules + what the node's configuration says: super users, and what holds where no binding stands
//
// A request is allowed when its principal is a super user; else refused when a matching binding denies it; else allowed when
// one allows it, or implies it (READ, WRITE, DELETE and ALTER imply DESCRIBE; ALTER_CONFIGS implies DESCRIBE_CONFIGS); else,
// where no binding is for the resource at all, as configured; else refused. That is KIP-11 with the patterns of KIP-290.
//
// The package never asks who a principal is: package auth does, and the connection tells.
package acl
