package auth

import (
	"strings"
	"testing"
)

// TestNameRules has Kafka's own documented rules, and others.
func TestNameRules(t *testing.T) {
	const kafka = `RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/, RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L, RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L, DEFAULT`
	for _, c := range []struct{ rules, subject, want string }{
		{"", "CN=alice,O=x", "CN=alice,O=x"},
		{"DEFAULT", "CN=alice,O=x", "CN=alice,O=x"},
		{kafka, "CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown", "serviceuser"},
		{kafka, "CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown", "adminuser@admin"},
		{kafka, "OU=Admin,CN=Some.Body", "some.body"},
		{kafka, "O=nobody", "O=nobody"},
		{`RULE:CN=([^,]*).*/user-$1x/U`, "CN=bob,O=x", "USER-BOBX"},
		{`RULE:CN=(.*)\/(.*)/$2\/$1/`, "CN=a/b", "b/a"},
	} {
		r, err := ParseNameRules(c.rules)
		if err != nil {
			t.Errorf("%s: %v", c.rules, err)
			continue
		}
		if got, err := r.Name(c.subject); got != c.want || err != nil {
			t.Errorf("%s of %s is %q, %v", c.rules, c.subject, got, err)
		}
	}
	if _, err := (mustRules(t, `RULE:CN=a/a/`)).Name("CN=b"); err == nil {
		t.Error("a subject that no rule fits has a name")
	}
	for _, bad := range []string{"RULE:", "RULE:a/b", "RULE:(/b/", "WHAT", "DEFAULT DEFAULT", "RULE:a/b/X"} {
		if _, err := ParseNameRules(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func mustRules(t *testing.T, s string) NameRules {
	t.Helper()
	r, err := ParseNameRules(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func FuzzNameRules(f *testing.F) {
	f.Add("RULE:^CN=(.*?),OU=(.*)$/$1@$2/L,DEFAULT", "CN=a,OU=b")
	f.Add(`RULE:a\/b/$1/U`, "a/b")
	f.Fuzz(func(t *testing.T, rules, subject string) {
		r, err := ParseNameRules(rules)
		if err != nil {
			return
		}
		name, err := r.Name(subject)
		if err == nil && strings.TrimSpace(rules) == "" && name != subject {
			t.Fatalf("no rules make %q of %q", name, subject)
		}
	})
}
