package catalog

import (
	"context"
	"encoding/json"
)

// KindModule is the kind of an entry that holds the code of a WebAssembly module, under the hash of its content.
const KindModule = "wasm"

func moduleKey(id string) string { return "wasm:" + id }

type moduleRecord struct {
	Version int    `json:"v"`
	Code    []byte `json:"code"`
}

// PutModule keeps the code of a module.
func (n *Node) PutModule(ctx context.Context, id string, code []byte) error {
	if _, ok := n.entries.Get(moduleKey(id)); ok {
		return nil
	}
	body, err := json.Marshal(moduleRecord{Version: recordVersion, Code: code})
	if err != nil {
		return err
	}
	return n.entries.Put(ctx, Stored{Name: moduleKey(id), Kind: KindModule, Body: body}, true)
}

// Module is the code of a module.
func (n *Node) Module(id string) ([]byte, bool) {
	s, ok := n.entries.Get(moduleKey(id))
	if !ok || s.Kind != KindModule {
		return nil, false
	}
	var r moduleRecord
	err := json.Unmarshal(s.Body, &r)
	return r.Code, err == nil && r.Version == recordVersion
}

// dropUnused forgets a module that no function is from any more.
func (n *Node) dropUnused(ctx context.Context, id string) error {
	for _, f := range n.Functions() {
		if f.Module == id {
			return nil
		}
	}
	_, err := n.entries.Delete(ctx, KindModule, moduleKey(id))
	return err
}
