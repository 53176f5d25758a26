package expr

import (
	"net/url"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func init() {
	parse := func(name, doc, example string, try bool) *Function {
		return &Function{Name: name, in: params("s:url s:part s:key?"), out: outOf(column.String), null: always, Doc: doc, Example: example, cost: 300,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				u, err := url.Parse(strings.Clone(a[0].Str(i)))
				if err != nil || strings.Contains(u.Host, " ") {
					if bad := usererr.New("INVALID_URL", "22P02", "The url is invalid: %s.", strings.Clone(a[0].Str(i))).WithFix("Use try_parse_url to tolerate invalid URLs and return NULL instead."); try {
						k.null(i)
					} else {
						k.ansi(i, bad)
					}
					return dst
				}
				key := ""
				if len(a) == 3 {
					key = a[2].Str(i)
				}
				part, ok := urlPart(u, a[1].Str(i), key, len(a) == 3)
				if !ok {
					k.null(i)
				}
				return append(dst, part...)
			})}
	}
	register("string",
		parse("parse_url", "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO, or the value of a key of the query.", "parse_url('http://s.org/p?a=1&b=2', 'QUERY', 'b') -> 2", false),
		parse("try_parse_url", "parse_url, or null when the URL is invalid.", "try_parse_url('inva lid://x', 'HOST') -> NULL", true),
		&Function{Name: "try_url_decode", in: params("s"), out: outOf(column.String), null: always, Doc: "url_decode, or null when the text cannot be decoded.", Example: "try_url_decode('%zz') -> NULL", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				s, err := url.QueryUnescape(a[0].Str(i))
				if err != nil {
					k.null(i)
				}
				return append(dst, s...)
			})},
	)
}

// urlPart is a part by Java's rules: what the URL does not have is null, except the path.
func urlPart(u *url.URL, part, key string, hasKey bool) (string, bool) {
	if hasKey && part != "QUERY" {
		return "", false
	}
	path := u.EscapedPath()
	switch part {
	case "HOST":
		return u.Hostname(), u.Host != ""
	case "PATH":
		return path, true
	case "QUERY":
		if hasKey {
			return queryValue(u.RawQuery, key)
		}
		return u.RawQuery, u.RawQuery != ""
	case "REF":
		return u.EscapedFragment(), u.Fragment != ""
	case "PROTOCOL":
		return u.Scheme, u.Scheme != ""
	case "FILE":
		if u.RawQuery != "" {
			path += "?" + u.RawQuery
		}
		return path, true
	case "AUTHORITY":
		if u.User != nil {
			return u.User.String() + "@" + u.Host, true
		}
		return u.Host, u.Host != ""
	case "USERINFO":
		if u.User == nil {
			return "", false
		}
		return u.User.String(), true
	}
	return "", false
}

func queryValue(query, key string) (string, bool) {
	for _, kv := range strings.Split(query, "&") {
		if k, v, ok := strings.Cut(kv, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}
