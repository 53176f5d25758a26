package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/quota"
)

func quotaCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "quota", Usage: "bound what clients may use",
		Description: "ENTITY is user=NAME, client-id=NAME, both, or ip=ADDRESS. Without a name it is the default of all that have no limit of their own.\n" +
			"LIMIT is " + strings.Join(quota.Keys[:], ", ") + ".",
		Subcommands: []*cli.Command{
			{Name: "set", Usage: "set limits", ArgsUsage: "ENTITY… LIMIT=VALUE…", Flags: []cli.Flag{bootstrapFlag()}, Action: quotaSet},
			{Name: "list", Usage: "all limits, or those of an entity", ArgsUsage: "[ENTITY…]", Flags: []cli.Flag{bootstrapFlag(), out}, Action: quotaList},
			{Name: "remove", Usage: "take limits away; all of the entity's without LIMIT", ArgsUsage: "ENTITY… [LIMIT…]", Flags: []cli.Flag{bootstrapFlag()}, Action: quotaRemove},
		},
	}
}

// entityParts are an entity's parts, in the order in which they are shown.
var entityParts = []string{"user", "client-id", "ip"}

// quotaArgs is what the arguments of a quota command say: entity parts (nil for the default), and limits.
type quotaArgs struct {
	entity []kmsg.AlterClientQuotasRequestEntryEntity
	limits []kmsg.AlterClientQuotasRequestEntryOp
}

func readQuotaArgs(args []string) (q quotaArgs, err error) {
	for _, a := range args {
		name, value, given := strings.Cut(a, "=")
		switch {
		case slices.Contains(entityParts, name):
			e := kmsg.NewAlterClientQuotasRequestEntryEntity()
			if e.Type = name; given {
				e.Name = &value
			}
			q.entity = append(q.entity, e)
		case slices.Contains(quota.Keys[:], name):
			op := kmsg.NewAlterClientQuotasRequestEntryOp()
			if op.Key, op.Remove = name, !given; given {
				if op.Value, err = quotaValue(name, value); err != nil {
					return q, err
				}
			}
			q.limits = append(q.limits, op)
		default:
			e := usererr.New("UNKNOWN_QUOTA", "42704", "%s is neither an entity nor a limit.", name)
			if near := usererr.Nearest(name, append(slices.Clone(entityParts), quota.Keys[:]...), 1); len(near) > 0 {
				return q, e.WithFix("Did you mean %s?", near[0])
			}
			return q, e.WithFix("Entities are user, client-id and ip; limits are %s.", strings.Join(quota.Keys[:], ", "))
		}
	}
	return q, nil
}

// quotaValue reads a number, or a size of a limit of bytes.
func quotaValue(key, text string) (float64, error) {
	if strings.HasSuffix(key, "byte_rate") {
		if n, err := config.ParseSize(text); err == nil && n > 0 {
			return float64(n), nil
		}
		return 0, usage("%s must be bytes a second such as 1MiB or 500000, not %q", key, text)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0) {
		return 0, usage("%s must be a positive number, not %q", key, text)
	}
	return v, nil
}

func quotaSet(c *cli.Context) error {
	q, err := readQuotaArgs(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(q.entity) == 0 || len(q.limits) == 0 || slices.ContainsFunc(q.limits, func(o kmsg.AlterClientQuotasRequestEntryOp) bool { return o.Remove }) {
		return usage("quota set takes an entity and limits with values: streamflow quota set user=alice producer_byte_rate=1MiB")
	}
	return alterQuota(c, q)
}

func quotaRemove(c *cli.Context) error {
	q, err := readQuotaArgs(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(q.entity) == 0 || slices.ContainsFunc(q.limits, func(o kmsg.AlterClientQuotasRequestEntryOp) bool { return !o.Remove }) {
		return usage("quota remove takes an entity, and limits without values: streamflow quota remove user=alice producer_byte_rate")
	}
	if len(q.limits) > 0 {
		return alterQuota(c, q)
	}
	entries, err := quotaEntries(c, q, true)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for _, v := range e.Values {
			q.limits = append(q.limits, kmsg.AlterClientQuotasRequestEntryOp{Key: v.Key, Remove: true})
		}
	}
	if len(q.limits) == 0 {
		return usererr.New("UNKNOWN_QUOTA", "42704", "%s has no limits.", strings.Join(c.Args().Slice(), " ")).WithFix("See streamflow quota list.")
	}
	return alterQuota(c, q)
}

func alterQuota(c *cli.Context, q quotaArgs) error {
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrAlterClientQuotasRequest()
	e := kmsg.NewAlterClientQuotasRequestEntry()
	e.Entity, e.Ops = q.entity, q.limits
	req.Entries = append(req.Entries, e)
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return err
	}
	for _, r := range resp.Entries {
		if err := refusal(strings.Join(c.Args().Slice(), " "), r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// quotaEntries are the entities that have the parts asked for, and no others if it is to be exact.
func quotaEntries(c *cli.Context, q quotaArgs, exact bool) ([]kmsg.DescribeClientQuotasResponseEntry, error) {
	cl, err := connect(c.Context, c)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Strict = exact
	for _, e := range q.entity {
		p := kmsg.NewDescribeClientQuotasRequestComponent()
		p.EntityType, p.Match, p.MatchType = e.Type, e.Name, kmsg.QuotasMatchTypeExact
		if e.Name == nil {
			p.MatchType = kmsg.QuotasMatchTypeDefault
		}
		req.Components = append(req.Components, p)
	}
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return nil, err
	}
	return resp.Entries, refusal("quotas", resp.ErrorCode, resp.ErrorMessage)
}

func quotaList(c *cli.Context) error {
	q, err := readQuotaArgs(c.Args().Slice())
	if err != nil {
		return err
	}
	if len(q.limits) > 0 {
		return usage("quota list takes entities only, got %s", q.limits[0].Key)
	}
	entries, err := quotaEntries(c, q, false)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, e := range entries {
		parts := map[string]any{}
		for _, p := range e.Entity {
			if parts[p.Type] = "<default>"; p.Name != nil {
				parts[p.Type] = *p.Name
			}
		}
		for _, v := range e.Values {
			rows = append(rows, []any{orNone(parts["user"]), orNone(parts["client-id"]), orNone(parts["ip"]), v.Key, shownNumber(v.Value)})
		}
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"user", "client_id", "ip", "limit", "value"}, rows)
}

func orNone(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// shownNumber shows whole numbers without an exponent.
func shownNumber(v float64) any {
	if whole := int64(v); float64(whole) == v {
		return whole
	}
	return v
}
