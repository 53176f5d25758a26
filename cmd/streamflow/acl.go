package main

import (
	"cmp"
	"os"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/acl"
)

func aclCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	resources := []cli.Flag{
		&cli.StringSliceFlag{Name: "topic", Usage: "a `TOPIC`, may be repeated; * is every one"},
		&cli.StringSliceFlag{Name: "group", Usage: "a consumer `GROUP`, may be repeated; * is every one"},
		&cli.StringSliceFlag{Name: "transactional-id", Usage: "a transactional `ID`, may be repeated; * is every one"},
		&cli.BoolFlag{Name: "cluster", Usage: "the cluster itself"},
		&cli.StringSliceFlag{Name: "operation", Usage: "`OPERATION`, may be repeated: read, write, create, delete, alter, describe, describe-configs, alter-configs, cluster-action, idempotent-write, all"},
		&cli.StringFlag{Name: "host", Usage: "`ADDRESS` that the client comes from"},
	}
	filter := append([]cli.Flag{bootstrapFlag(), out,
		&cli.StringFlag{Name: "principal", Usage: "bindings of this `PRINCIPAL`, such as User:alice"},
		&cli.StringFlag{Name: "pattern", Value: "any", Usage: "`PATTERN` of the bindings' names: literal, prefixed, any, or match for those that apply to the name"},
	}, resources...)
	return &cli.Command{
		Name: "acl", Usage: "say who may do what with topics, groups, transactional ids and the cluster",
		Subcommands: []*cli.Command{
			{Name: "add", Usage: "allow or deny something", Action: aclAdd, Flags: append([]cli.Flag{bootstrapFlag(),
				&cli.StringSliceFlag{Name: "allow", Usage: "`PRINCIPAL` that may, such as User:alice; User:* is everybody. May be repeated"},
				&cli.StringSliceFlag{Name: "deny", Usage: "`PRINCIPAL` that must not, whatever else allows it. May be repeated"},
				&cli.BoolFlag{Name: "prefixed", Usage: "the names stand for all that begin with them"}}, resources...)},
			{Name: "list", Usage: "what is allowed and denied", Flags: filter, Action: aclList},
			{Name: "remove", Usage: "take back what was allowed or denied; prints it", Flags: append([]cli.Flag{
				&cli.BoolFlag{Name: "all", Usage: "without any filter: everything"}}, filter...), Action: aclRemove},
		},
	}
}

// resource is one that a command names.
type resource struct {
	typ  acl.ResourceType
	name string
}

// namedResources are those that a command names.
func namedResources(c *cli.Context) []resource {
	var out []resource
	for _, f := range []struct {
		flag string
		typ  acl.ResourceType
	}{{"topic", acl.Topic}, {"group", acl.Group}, {"transactional-id", acl.TransactionalID}} {
		for _, name := range c.StringSlice(f.flag) {
			out = append(out, resource{f.typ, name})
		}
	}
	if c.Bool("cluster") {
		out = append(out, resource{acl.Cluster, acl.ClusterName})
	}
	return out
}

func namedOperations(c *cli.Context) ([]acl.Operation, error) {
	var out []acl.Operation
	for _, name := range c.StringSlice("operation") {
		op, err := acl.ParseOperation(name)
		if err != nil {
			return nil, usage("--operation: %v", err)
		}
		out = append(out, op)
	}
	return out, nil
}

// askedBindings are what acl add is to add: each principal with each operation on each resource.
func askedBindings(c *cli.Context) ([]acl.Binding, error) {
	operations, err := namedOperations(c)
	if err != nil {
		return nil, err
	}
	host := c.String("host")
	if host == "" {
		host = acl.AnyHost
	}
	var out []acl.Binding
	for _, side := range []struct {
		flag       string
		permission acl.Permission
	}{{"allow", acl.Allow}, {"deny", acl.Deny}} {
		for _, name := range c.StringSlice(side.flag) {
			who, err := acl.ParsePrincipal(name)
			if err != nil {
				return nil, usage("--%s: %v", side.flag, err)
			}
			for _, r := range namedResources(c) {
				for _, op := range operations {
					b := acl.Binding{Type: r.typ, Name: r.name, Pattern: acl.Literal, Principal: who, Host: host, Operation: op, Permission: side.permission}
					if c.Bool("prefixed") {
						b.Pattern = acl.Prefixed
					}
					if err := cmp.Or(b.Validate(), b.CheckOperation()); err != nil {
						return nil, usage("%v", err)
					}
					out = append(out, b)
				}
			}
		}
	}
	if len(out) == 0 {
		return nil, usage("acl add wants a principal (--allow or --deny), an --operation, and a --topic, --group, --transactional-id or --cluster")
	}
	return out, nil
}

func aclAdd(c *cli.Context) error {
	bindings, err := askedBindings(c)
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrCreateACLsRequest()
	for _, b := range bindings {
		n := kmsg.NewCreateACLsRequestCreation()
		n.ResourceType, n.ResourceName, n.ResourcePatternType = kmsg.ACLResourceType(b.Type), b.Name, kmsg.ACLResourcePatternType(b.Pattern)
		n.Principal, n.Host, n.Operation, n.PermissionType = b.Principal.String(), b.Host, kmsg.ACLOperation(b.Operation), kmsg.ACLPermissionType(b.Permission)
		req.Creations = append(req.Creations, n)
	}
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return err
	}
	for i, r := range resp.Results {
		if err := refusal(bindings[i].String(), r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// askedFilters are the filters that a command's flags make: one for each operation on each resource, or one for all.
func askedFilters(c *cli.Context) ([]acl.Filter, error) {
	if c.NArg() > 0 {
		return nil, usage("%s takes flags only, got %q", c.Command.FullName(), c.Args().First())
	}
	operations, err := namedOperations(c)
	if err != nil {
		return nil, err
	}
	if len(operations) == 0 {
		operations = []acl.Operation{acl.AnyOp}
	}
	resources := namedResources(c)
	if len(resources) == 0 {
		resources = []resource{{typ: acl.AnyType}}
	}
	pattern, err := acl.ParsePattern(c.String("pattern"))
	if err != nil {
		return nil, usage("--pattern: %v", err)
	}
	var out []acl.Filter
	for _, r := range resources {
		for _, op := range operations {
			out = append(out, acl.Filter{Type: r.typ, Name: r.name, Pattern: pattern, Principal: c.String("principal"), Host: c.String("host"), Operation: op, Permission: acl.AnyPermission})
		}
	}
	return out, nil
}

var aclHeader = []string{"principal", "permission", "operation", "resource", "pattern", "name", "host"}

// optional is a filter's text as the protocol has it: null for any.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func aclList(c *cli.Context) error {
	filters, err := askedFilters(c)
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	var rows [][]any
	for _, f := range filters {
		req := kmsg.NewPtrDescribeACLsRequest()
		req.ResourceType, req.ResourceName, req.ResourcePatternType = kmsg.ACLResourceType(f.Type), optional(f.Name), kmsg.ACLResourcePatternType(f.Pattern)
		req.Principal, req.Host, req.Operation, req.PermissionType = optional(f.Principal), optional(f.Host), kmsg.ACLOperation(f.Operation), kmsg.ACLPermissionType(f.Permission)
		resp, err := req.RequestWith(c.Context, cl)
		if err != nil {
			return err
		}
		if err := refusal("access control lists", resp.ErrorCode, resp.ErrorMessage); err != nil {
			return err
		}
		for _, r := range resp.Resources {
			for _, e := range r.ACLs {
				rows = append(rows, aclRow(e.Principal, int8(e.PermissionType), int8(e.Operation), int8(r.ResourceType), int8(r.ResourcePatternType), r.ResourceName, e.Host))
			}
		}
	}
	return term.Rows(os.Stdout, c.String("output"), aclHeader, rows)
}

func aclRow(principal string, permission, op, typ, pattern int8, name, host string) []any {
	return []any{principal, acl.Permission(permission).String(), acl.Operation(op).String(), acl.ResourceType(typ).String(), acl.Pattern(pattern).String(), name, host}
}

func aclRemove(c *cli.Context) error {
	filters, err := askedFilters(c)
	if err != nil {
		return err
	}
	if filters[0] == (acl.Filter{Type: acl.AnyType, Pattern: acl.AnyPattern, Operation: acl.AnyOp, Permission: acl.AnyPermission}) && !c.Bool("all") {
		return usererr.New("NO_FILTER", "22023", "Nothing says what to remove.").WithFix("Name a resource, a --principal, an --operation or a --host, or spell out --all.")
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, f := range filters {
		n := kmsg.NewDeleteACLsRequestFilter()
		n.ResourceType, n.ResourceName, n.ResourcePatternType = kmsg.ACLResourceType(f.Type), optional(f.Name), kmsg.ACLResourcePatternType(f.Pattern)
		n.Principal, n.Host, n.Operation, n.PermissionType = optional(f.Principal), optional(f.Host), kmsg.ACLOperation(f.Operation), kmsg.ACLPermissionType(f.Permission)
		req.Filters = append(req.Filters, n)
	}
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range resp.Results {
		if err := refusal("access control lists", r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
		for _, m := range r.MatchingACLs {
			rows = append(rows, aclRow(m.Principal, int8(m.PermissionType), int8(m.Operation), int8(m.ResourceType), int8(m.ResourcePatternType), m.ResourceName, m.Host))
		}
	}
	return term.Rows(os.Stdout, c.String("output"), aclHeader, rows)
}
