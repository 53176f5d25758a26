package main

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/streamflow/streamflow/internal/usererr"
)

// refusal is the error of an administrative request about something; nil when it was carried out.
func refusal(what string, code int16, msg *string) error {
	err := kerr.ErrorForCode(code)
	if err == nil {
		return nil
	}
	if errors.Is(err, kerr.ClusterAuthorizationFailed) {
		return usererr.New("ACCESS_REFUSED", "42501", "You have no right to do that.").In(what).
			WithFix("Log in as somebody who has, with --user. Super users have all rights.")
	}
	if errors.Is(err, kerr.SecurityDisabled) {
		return usererr.New("ACL_DISABLED", "55000", "The node does not enforce access control lists.").In(what).
			WithFix("Set security.acl.enabled on it, and a super user: docs/guide/security.md.")
	}
	text := err.Error()
	if msg != nil && *msg != "" {
		text = *msg
	}
	return usererr.New("REFUSED", "22023", "%s.", text).In(what)
}
