package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
)

// A broker whose records are gone must not be elected as one that has them. The file "disk" names the data directory, so that a
// new one in its place is noticed. It lies in the write-ahead log's directory: that one is put aside by hand when it is damaged,
// and the broker goes on with what is left. Where appends are acknowledged before they are on disk, the file "closed" says that all are:
// it is there only while the node is not running.
const (
	diskFile   = "log/wal/disk"
	closedFile = "closed"
)

// openDisk returns the data directory's name, and whether acknowledged records may be missing from it.
func (b *Broker) openDisk() (name string, lost bool, err error) {
	data, err := os.ReadFile(filepath.Join(b.opts.Dir, diskFile))
	fresh := errors.Is(err, fs.ErrNotExist)
	if fresh {
		data = []byte(uuid.NewString())
		err = b.writeDurably(diskFile, data)
	}
	if err != nil {
		return "", false, fmt.Errorf("broker: name of the data directory: %w", err)
	}
	if b.opts.Log.Sync == logstore.SyncAsync {
		err = os.Remove(filepath.Join(b.opts.Dir, closedFile))
		if errors.Is(err, fs.ErrNotExist) {
			lost, err = !fresh, nil
		}
		if err == nil {
			err = syncDir(b.opts.Dir)
		}
	}
	return string(data), lost, err
}

// closeDisk notes that everything is on disk.
func (b *Broker) closeDisk() error {
	if !b.clustered() || b.opts.Log.Sync != logstore.SyncAsync {
		return nil
	}
	return b.writeDurably(closedFile, nil)
}

func (b *Broker) writeDurably(name string, data []byte) error {
	path := filepath.Join(b.opts.Dir, name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
