package connect

import (
	"testing"
	"unicode/utf8"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"google.golang.org/protobuf/proto"
)

// FuzzDecode feeds arbitrary bytes to the decoder: it answers a plan or an error and never panics, and a plan that it
// reads can be sent again and read as the same.
func FuzzDecode(f *testing.F) {
	t := &testing.T{}
	for _, p := range every(t) {
		if r, err := planToProto(p); err == nil {
			if data, err := proto.Marshal(root(r)); err == nil {
				f.Add(data)
			}
		}
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &pb.Plan{}
		if proto.Unmarshal(data, p) != nil {
			return
		}
		r, c, err := openPlan(p)
		if err != nil {
			return
		}
		d := &decoder{}
		if c != nil {
			_, _, _ = d.command(c)
			if w := c.GetWriteStreamOperationStart(); w != nil {
				_, _ = d.stream(w)
			}
			return
		}
		if _, err := canonical(p); err != nil && r != nil {
			t.Fatalf("canonical: %v", err)
		}
		plan, err := d.plan(r)
		if err != nil {
			return
		}
		if plan.String() == "" {
			t.Fatal("a plan without a name")
		}
		sent, err := planToProto(plan)
		if err != nil {
			return
		}
		if _, err := (&decoder{}).plan(sent); err != nil {
			t.Fatalf("what was read and sent cannot be read again: %v\n%v", err, sent)
		}
	})
}

// FuzzSchemaText feeds text to the readers of schemas.
func FuzzSchemaText(f *testing.F) {
	for _, s := range []string{"a INT, b STRING", "int", `"long"`, `{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true,"metadata":{}}]}`, `{"type":"udt"}`, "{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSchema(text)
		if err != nil || !utf8.ValidString(text) { // a message's strings are valid
			return
		}
		again, err := parseSchema(schemaToJSON(s))
		if err != nil || !again.Equal(s) {
			t.Fatalf("%q: %v became %v (%v)", text, s, again, err)
		}
	})
}
