package tier

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/streamflow/streamflow/internal/usererr"
)

// S3 says where a bucket is and who may use it.
type S3 struct {
	Endpoint string // URL of the service; empty: Amazon's
	Bucket   string
	Prefix   string // of every key
	Region   string // empty: us-east-1
	// AccessKey and SecretKey; when they are empty, the environment (AWS_ACCESS_KEY_ID …), then ~/.aws/credentials, then the
	// machine's role.
	AccessKey, SecretKey string
	// VirtualHost names the bucket in the host instead of the path.
	VirtualHost bool
}

// s3Store keeps objects in a bucket. minio-go signs, retries what may be retried, and cuts big objects into parts, which
// appear together.
type s3Store struct {
	core   minio.Core
	bucket string
	prefix string
}

const (
	s3Retries  = 5
	s3PartSize = 16 << 20
	amazonS3   = "https://s3.amazonaws.com"
)

// NewS3 returns a store in a bucket. It does not ask the service anything yet.
func NewS3(o S3) (Store, error) {
	if o.Endpoint == "" {
		o.Endpoint = amazonS3
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, usererr.New("INVALID_TIER_URL", "22023", "The endpoint of the cold tier's object store is %q.", o.Endpoint).
			In("storage.tier.s3.endpoint").WithFix("Write it as https://host or http://host:port.")
	}
	lookup := minio.BucketLookupPath
	if o.VirtualHost {
		lookup = minio.BucketLookupDNS
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds: s3Credentials(o), Secure: u.Scheme == "https", Region: o.Region, BucketLookup: lookup, MaxRetries: s3Retries,
	})
	if err != nil {
		return nil, usererr.New("INVALID_TIER_URL", "22023", "The cold tier's object store cannot be used: %v.", err).In("storage.tier.url")
	}
	return &s3Store{core: minio.Core{Client: c}, bucket: o.Bucket, prefix: o.Prefix}, nil
}

func s3Credentials(o S3) *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
	})
}

func (s *s3Store) Put(ctx context.Context, key string, b Body) error {
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: s3PartSize, SendContentMd5: true}
	if err := checkBody(b); err != nil {
		return fmt.Errorf("tier: put %s: %w", key, err)
	}
	if _, err := s.core.Client.PutObject(ctx, s.bucket, s.prefix+key, io.NewSectionReader(b, 0, b.Size), b.Size, opts); err != nil {
		return fmt.Errorf("tier: put %s: %w", key, err)
	}
	return nil
}

// checkBody reads the body once before it is sent; on the way the service checks each part's MD5.
func checkBody(b Body) error {
	h := crc32.New(castagnoli)
	if _, err := io.Copy(h, io.NewSectionReader(b, 0, b.Size)); err != nil {
		return err
	}
	if h.Sum32() != b.CRC {
		return errBodyChanged
	}
	return nil
}

func (s *s3Store) Get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, off+n-1); err != nil {
		return nil, fmt.Errorf("tier: get %s: %w", key, err)
	}
	r, _, _, err := s.core.GetObject(ctx, s.bucket, s.prefix+key, opts)
	if err != nil {
		return nil, s3Error("get "+key, err)
	}
	defer r.Close()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, s3Error("get "+key, err)
	}
	return b, nil
}

func (s *s3Store) List(ctx context.Context, prefix string) ([]Info, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the lister when an error ends the loop
	var list []Info
	for o := range s.core.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, s3Error("list "+prefix, o.Err)
		}
		list = append(list, Info{Key: strings.TrimPrefix(o.Key, s.prefix), Size: o.Size})
	}
	return list, nil
}

func (s *s3Store) Delete(ctx context.Context, key string) error {
	err := s.core.Client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != "NoSuchKey" {
		return s3Error("delete "+key, err)
	}
	return nil
}

func s3Error(what string, err error) error {
	switch resp := minio.ToErrorResponse(err); {
	case resp.Code == "NoSuchKey":
		return fmt.Errorf("tier: %s: %w", what, ErrNotFound)
	case resp.Code == "InvalidRange" || errors.Is(err, io.EOF):
		return fmt.Errorf("tier: %s: %w", what, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("tier: %s: %w", what, err)
}
