package catalog

import "context"

// KindModule is the kind of an entry that holds the code of a WebAssembly module, under the hash of its content.
const KindModule = "wasm"

func moduleKey(id string) string { return "wasm:" + id }

// PutModule keeps the code of a module.
func (n *Node) PutModule(ctx context.Context, id string, code []byte) error {
	if _, ok := n.entries.Get(moduleKey(id)); ok {
		return nil
	}
	return n.entries.Put(ctx, Stored{Name: moduleKey(id), Kind: KindModule, Body: code}, true)
}

// Module is the code of a module.
func (n *Node) Module(id string) ([]byte, bool) {
	s, ok := n.entries.Get(moduleKey(id))
	return s.Body, ok && s.Kind == KindModule
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
