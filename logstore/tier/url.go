package tier

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
)

// OpenStore opens the store that a URL names: s3://BUCKET/PREFIX, with the rest of what S3 wants to know in s; a directory,
// as a path or file:///PATH; embedded when it is empty.
func OpenStore(name, embedded string, s S3) (Store, error) {
	u, err := url.Parse(name)
	switch {
	case name == "":
		return NewDir(vfs.OS, filepath.ToSlash(embedded)), nil
	case err == nil && u.Scheme == "s3" && u.Host != "":
		if s.Bucket = u.Host; strings.Trim(u.Path, "/") != "" {
			s.Prefix = strings.Trim(u.Path, "/") + "/"
		}
		return NewS3(s)
	case err == nil && u.Scheme == "file" && u.Host == "" && u.Path != "":
		return NewDir(vfs.OS, u.Path), nil
	case err == nil && u.Scheme == "":
		return NewDir(vfs.OS, filepath.ToSlash(name)), nil
	}
	return nil, usererr.New("INVALID_TIER_URL", "22023", "The cold tier's URL is %q.", name).In("storage.tier.url").
		WithFix("Write s3://BUCKET/PREFIX, or a directory.")
}
