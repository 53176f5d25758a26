package rdd

import (
	"fmt"
	"iter"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"
)

// build makes an operator's reader over its inputs. It is the typed part of an operator of a typed RDD.
type build func(a *Apply, tc *TaskContext, in []Reader) (Reader, error)

// functions has, by kind and name ("map:orders.total"), what this process can run. Named ones are there from its start,
// closures from their first use until their Context is closed.
var functions sync.Map // string -> build

// names has the names given to functions, by kind and identity: two closures of one function literal are two functions.
var names sync.Map // nameKey -> string

type nameKey struct {
	kind string
	fn   unsafe.Pointer
}

var lastClosure atomic.Int64

// identity is the address of a func value: the same for each copy of it, and no other func value's while it is reachable,
// which a named one always is.
func identity[F any](f F) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&f)) }

// named records a name for f.
func named[F any](kind, name string, f F, b build) F {
	if _, taken := functions.LoadOrStore(kind+":"+name, b); taken {
		panic(fmt.Sprintf("BUG: rdd: the %s function %q is registered twice", kind, name))
	}
	names.Store(nameKey{kind, identity(f)}, name)
	kept.Store(kind+":"+name, f)
	return f
}

// kept keeps named functions reachable, so that their identities stay theirs.
var kept sync.Map

// The registrations below give user functions names, by which they travel to executors in other processes of the same
// binary. Call them in package variables, so that every process has them:
//
//	var total = rdd.MapFunc("orders.total", func(o Order) float64 { … })
//	sums := rdd.Map(orders, total)
//
// A function that was not named, any closure, works as well while the executors are in this process. It never travels: an
// executor elsewhere refuses the task.

// MapFunc names a function for Map.
func MapFunc[T, U any](name string, f func(T) U) func(T) U {
	return named("map", name, f, mapper(f))
}

// FilterFunc names a function for Filter.
func FilterFunc[T any](name string, f func(T) bool) func(T) bool {
	return named("filter", name, f, filterer(f))
}

// FlatMapFunc names a function for FlatMap.
func FlatMapFunc[T, U any](name string, f func(T) []U) func(T) []U {
	return named("flatMap", name, f, flatMapper(f))
}

// PartitionsFunc names a function for MapPartitions.
func PartitionsFunc[T, U any](name string, f func(part int, rows iter.Seq[T], emit func(U)) error) func(int, iter.Seq[T], func(U)) error {
	return named("mapPartitions", name, f, partitionMapper(f))
}

// KeyFunc names a function for KeyBy.
func KeyFunc[T any, K comparable](name string, f func(T) K) func(T) K {
	return named("keyBy", name, f, keyer(f))
}

// ReduceFunc names a function for ReduceByKey with keys of type K.
func ReduceFunc[K comparable, V any](name string, f func(a, b V) V) func(a, b V) V {
	RegisterPair[K, V]()
	named("combine", name, f, combiner[K](f))
	return named("reduce", name, f, reducer[K](f))
}

// RegisterPair lets pairs of K and V move between processes.
func RegisterPair[K comparable, V any]() {
	functions.LoadOrStore(pairKind[K, V]("encode"), encodePairs[K, V]())
	functions.LoadOrStore(pairKind[K, V]("group"), grouper[K, V]())
}

// RegisterRow lets Parallelize send rows of type T to other processes.
func RegisterRow[T any]() { functions.LoadOrStore(rowKind[T](), parallel[T]()) }

func pairKind[K comparable, V any](kind string) string {
	return kind + ":" + typeName[K]() + "," + typeName[V]()
}

func rowKind[T any]() string { return "rows:" + typeName[T]() }

func typeName[T any]() string {
	t := reflect.TypeFor[T]()
	if t.PkgPath() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// Apply is the operator of typed RDDs: the function that Fn names, over the inputs.
type Apply struct {
	Fn   string
	Data [][]byte // what each partition of a source reads
}

// Open finds the function.
func (a *Apply) Open(tc *TaskContext, in []Reader) (Reader, error) {
	f, ok := functions.Load(a.Fn)
	if !ok {
		return nil, fmt.Errorf("rdd: this process has no function %q: a closure exists only in the process that made it, name it with rdd.MapFunc and its like to let it travel", a.Fn)
	}
	return f.(build)(a, tc, in)
}

func init() { Register("rdd.Apply", (*Apply)(nil)) }
