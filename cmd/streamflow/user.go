package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"
	xterm "golang.org/x/term"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/auth"
)

func userCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	secret := []cli.Flag{
		&cli.StringFlag{Name: "new-password-env", Usage: "environment `VARIABLE` that holds the user's password; without, it is read from standard input"},
		&cli.StringSliceFlag{Name: "mechanism", Usage: "SCRAM `MECHANISM` that the user may log in by, may be repeated; both without. PLAIN goes by either"},
		&cli.IntFlag{Name: "iterations", Value: auth.DefaultIterations, Usage: "how often the password is hashed, 4096 to 16384"},
	}
	return &cli.Command{
		Name: "user", Usage: "add, list and remove the users that log in with a password",
		Subcommands: []*cli.Command{
			{Name: "add", Usage: "add a user, or give one another password", ArgsUsage: "NAME", Flags: append([]cli.Flag{bootstrapFlag()}, secret...), Action: userAdd},
			{Name: "list", Usage: "all users and the mechanisms that they have", Flags: []cli.Flag{bootstrapFlag(), out}, Action: userList},
			{Name: "remove", Usage: "remove a user", ArgsUsage: "NAME", Flags: []cli.Flag{bootstrapFlag(),
				&cli.StringSliceFlag{Name: "mechanism", Usage: "only the credential of this `MECHANISM`, may be repeated"}}, Action: userRemove},
			{Name: "hash", Usage: "print a user's lines for security.sasl.users_file; talks to no node", ArgsUsage: "NAME", Flags: secret, Action: userHash},
		},
	}
}

// scramMechanisms are those that a command names; both when it names none.
func scramMechanisms(c *cli.Context) ([]auth.Mechanism, error) {
	names := c.StringSlice("mechanism")
	if len(names) == 0 {
		return []auth.Mechanism{auth.ScramSHA256, auth.ScramSHA512}, nil
	}
	var out []auth.Mechanism
	for _, n := range names {
		m, err := auth.ParseMechanism(n)
		if err != nil || !m.IsScram() {
			return nil, usage("--mechanism must be SCRAM-SHA-256 or SCRAM-SHA-512, not %q", n)
		}
		out = append(out, m)
	}
	return out, nil
}

// newPassword reads the password that a user is to have.
func newPassword(c *cli.Context) (string, error) {
	if name := c.String("new-password-env"); name != "" {
		if p := os.Getenv(name); p != "" {
			return p, nil
		}
		return "", usererr.New("NO_PASSWORD", "28P01", "The environment variable %s is empty.", name).WithFix("Put the user's password into it.")
	}
	if term.IsTerminal(os.Stdin) {
		return askPassword()
	}
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n') // the end of the input ends the password too
	if p := strings.TrimRight(line, "\r\n"); p != "" {
		return p, nil
	}
	return "", usererr.New("NO_PASSWORD", "28P01", "Standard input has no password.").WithFix("Write it there, or name a variable with --new-password-env.")
}

func askPassword() (string, error) {
	var said [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(os.Stderr, prompt)
		b, err := xterm.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return "", err
		}
		said[i] = string(b)
	}
	if said[0] != said[1] || said[0] == "" {
		return "", usererr.New("NO_PASSWORD", "28P01", "The two are not the same password.")
	}
	return said[0], nil
}

func userAdd(c *cli.Context) error {
	name, err := oneArg(c, "name")
	if err != nil {
		return err
	}
	mechanisms, err := scramMechanisms(c)
	if err != nil {
		return err
	}
	if err := auth.CheckIterations(c.Int("iterations")); err != nil {
		return usage("--iterations: %v", err)
	}
	password, err := newPassword(c)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, m := range mechanisms {
		u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		u.Name, u.Mechanism, u.Iterations = name, m.ScramNumber(), int32(c.Int("iterations"))
		u.Salt = make([]byte, 24)
		if _, err := rand.Read(u.Salt); err != nil {
			return err
		}
		u.SaltedPassword = auth.SaltPassword(m, password, u.Salt, int(u.Iterations))
		req.Upsertions = append(req.Upsertions, u)
	}
	return alterUser(c, req)
}

// alterUser carries out a request about one user.
func alterUser(c *cli.Context, req *kmsg.AlterUserSCRAMCredentialsRequest) error {
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if err := refusal("user "+r.User, r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// describedUsers are users with their mechanisms.
func describedUsers(c *cli.Context, names ...string) ([]kmsg.DescribeUserSCRAMCredentialsResponseResult, error) {
	cl, err := connect(c.Context, c)
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	for _, n := range names {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = n
		req.Users = append(req.Users, u)
	}
	resp, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return nil, err
	}
	return resp.Results, refusal("users", resp.ErrorCode, resp.ErrorMessage)
}

func userList(c *cli.Context) error {
	users, err := describedUsers(c)
	if err != nil {
		return err
	}
	slices.SortFunc(users, func(a, b kmsg.DescribeUserSCRAMCredentialsResponseResult) int { return strings.Compare(a.User, b.User) })
	var rows [][]any
	for _, u := range users {
		for _, i := range u.CredentialInfos {
			m, _ := auth.ScramByNumber(i.Mechanism)
			rows = append(rows, []any{u.User, string(m), i.Iterations})
		}
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"user", "mechanism", "iterations"}, rows)
}

func userRemove(c *cli.Context) error {
	name, err := oneArg(c, "name")
	if err != nil {
		return err
	}
	mechanisms, err := scramMechanisms(c)
	if err != nil {
		return err
	}
	users, err := describedUsers(c, name)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, u := range users {
		for _, i := range u.CredentialInfos {
			if m, _ := auth.ScramByNumber(i.Mechanism); slices.Contains(mechanisms, m) {
				d := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
				d.Name, d.Mechanism = name, i.Mechanism
				req.Deletions = append(req.Deletions, d)
			}
		}
	}
	if len(req.Deletions) == 0 {
		return usererr.New("UNKNOWN_USER", "42704", "There is no user %s with such a credential.", name).WithFix("See streamflow user list. Users of a node's own file are not in it.")
	}
	return alterUser(c, req)
}

func userHash(c *cli.Context) error {
	name, err := oneArg(c, "name")
	if err != nil {
		return err
	}
	mechanisms, err := scramMechanisms(c)
	if err != nil {
		return err
	}
	password, err := newPassword(c)
	if err != nil {
		return err
	}
	for _, m := range mechanisms {
		credential, err := auth.NewCredential(m, password, c.Int("iterations"))
		if err != nil {
			return usage("--iterations: %v", err)
		}
		fmt.Printf("%s:%s\n", name, credential.Format(m))
	}
	return nil
}
