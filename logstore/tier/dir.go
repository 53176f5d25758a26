package tier

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/internal/vfs"
)

// dirStore keeps objects as files below a directory. A file gets its name when it is whole and synced.
type dirStore struct {
	fs  vfs.FS
	dir string
}

// NewDir returns a store in a directory, which is made when the first object is put.
func NewDir(fs vfs.FS, dir string) Store { return &dirStore{fs: fs, dir: path.Clean(dir)} }

const partial = ".tmp"

func (d *dirStore) file(key string) string { return path.Join(d.dir, key) }

func (d *dirStore) Put(ctx context.Context, key string, b Body) error {
	name := d.file(key)
	if err := d.makeDirs(path.Dir(name)); err != nil {
		return fmt.Errorf("tier: put %s: %w", key, err)
	}
	if err := d.write(ctx, name+partial, b); err != nil {
		_ = d.fs.Remove(name + partial) // it is worth nothing
		return fmt.Errorf("tier: put %s: %w", key, err)
	}
	err := d.fs.Rename(name+partial, name)
	if err == nil {
		err = d.fs.SyncDir(path.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("tier: put %s: %w", key, err)
	}
	return nil
}

// makeDirs makes a directory and those above it, and their names durable.
func (d *dirStore) makeDirs(dir string) error {
	if ok, err := d.fs.IsDir(dir); err == nil && ok {
		return nil
	}
	var missing []string
	for at := dir; ; at = path.Dir(at) {
		if ok, err := d.fs.IsDir(at); err == nil && ok || at == path.Dir(at) {
			missing = append(missing, at)
			break
		}
		missing = append(missing, at)
	}
	if err := d.fs.MkdirAll(dir); err != nil {
		return err
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := d.fs.SyncDir(missing[i]); err != nil {
			return err
		}
	}
	return nil
}

const copyBlock = 1 << 20

func (d *dirStore) write(ctx context.Context, name string, b Body) (err error) {
	f, err := d.fs.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf, crc := make([]byte, min(copyBlock, max(b.Size, 1))), uint32(0)
	for at := int64(0); at < b.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := b.ReadAt(buf[:min(int64(len(buf)), b.Size-at)], at)
		if n == 0 && err != nil {
			return err
		}
		if _, err := f.WriteAt(buf[:n], at); err != nil {
			return err
		}
		crc = crc32.Update(crc, castagnoli, buf[:n])
		at += int64(n)
	}
	if crc != b.CRC {
		return errBodyChanged
	}
	return f.Sync()
}

func (d *dirStore) Get(_ context.Context, key string, off, n int64) ([]byte, error) {
	f, err := d.fs.Open(d.file(key))
	if vfs.IsNotExist(err) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	if err != nil {
		return nil, fmt.Errorf("tier: get %s: %w", key, err)
	}
	defer f.Close()
	b := make([]byte, n)
	got, err := f.ReadAt(b, off)
	if got == len(b) {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("tier: get %s: %w", key, err)
}

func (d *dirStore) List(_ context.Context, prefix string) ([]Info, error) {
	var list []Info
	dir := path.Dir(prefix + "x") // the deepest directory that holds all of them
	if err := d.walk(dir, prefix, &list); err != nil {
		return nil, fmt.Errorf("tier: list %s: %w", prefix, err)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Key < list[j].Key })
	return list, nil
}

func (d *dirStore) walk(dir, prefix string, list *[]Info) error {
	names, err := d.fs.ReadDir(d.file(dir))
	if err != nil {
		return err
	}
	for _, name := range names {
		key := path.Join(dir, name)
		if isDir, err := d.fs.IsDir(d.file(key)); err != nil {
			return err
		} else if isDir {
			if err := d.walk(key, prefix, list); err != nil {
				return err
			}
			continue
		}
		if strings.HasPrefix(key, prefix) && !strings.HasSuffix(key, partial) {
			size, err := d.size(key)
			if vfs.IsNotExist(err) {
				continue // deleted since
			}
			if err != nil {
				return err
			}
			*list = append(*list, Info{Key: key, Size: size})
		}
	}
	return nil
}

func (d *dirStore) size(key string) (int64, error) {
	f, err := d.fs.Open(d.file(key))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Size()
}

func (d *dirStore) Delete(_ context.Context, key string) error {
	name := d.file(key)
	err := d.fs.Remove(name)
	if vfs.IsNotExist(err) {
		return nil
	}
	if err == nil {
		err = d.fs.SyncDir(path.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("tier: delete %s: %w", key, err)
	}
	return nil
}
