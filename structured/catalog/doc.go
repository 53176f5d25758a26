// Package catalog resolves names: tables and views of the node, and a session's temporary views in front of them.
//
// It keeps no data and opens no files. Tables are made by connectors, registered by provider name (RegisterProvider);
// topics appear as tables by themselves.
package catalog
