package connect

import (
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Errors about plans that cannot be understood, under Spark's condition names.

func invalidPlan(sub, format string, args ...any) *usererr.Error {
	return usererr.New("CONNECT_INVALID_PLAN."+sub, "56K00", "The Spark Connect plan is invalid. "+format, args...)
}

func notSet(message, oneof string) *usererr.Error {
	return invalidPlan("INVALID_ONE_OF_FIELD_NOT_SET", "This oneOf field in %s is not set: %s.", message, oneof).
		With("fullName", message).With("name", oneof)
}

func missing(message, field string) *usererr.Error {
	return invalidPlan("FIELD_NOT_SET", "The field %s of %s is not set.", field, message).With("fullName", message).With("name", field)
}

func noHandler(typeURL string) *usererr.Error {
	return invalidPlan("NO_HANDLER_FOR_EXTENSION", "No handler found for extension type: %s.", typeURL).With("extensionTypeUrl", typeURL)
}

func tooDeep() *usererr.Error {
	return invalidPlan("TOO_DEEP", "It is nested more than %d levels deep.", maxDepth)
}

// unsupported is the error for what Spark can do and we cannot.
func unsupported(feature, format string, args ...any) *usererr.Error {
	return usererr.New("UNSUPPORTED_FEATURE."+feature, "0A000", "The feature is not supported: "+format+".", args...)
}

// oneofName is the name of the message's field that is set in a oneof, for errors: "map_partitions".
func oneofName(m proto.Message, oneof string) string {
	r := m.ProtoReflect()
	o := r.Descriptor().Oneofs().ByName(protoreflect.Name(oneof))
	if o == nil {
		return ""
	}
	if f := r.WhichOneof(o); f != nil {
		return string(f.Name())
	}
	return ""
}

// feature is a field's name as part of a condition's name: MAP_PARTITIONS.
func feature(field string) string { return strings.ToUpper(field) }
