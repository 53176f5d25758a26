package segment

import (
	"container/list"
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/internal/vfs"
)

// Files bounds how many segment files are open at once. A file is opened when it is first used and stays open while it is
// in use; of those that are not, the ones used longest ago are closed.
type Files struct {
	mu    sync.Mutex
	limit int
	open  int
	idle  list.List // of *Segment: open and not in use, the one used last in front
}

// NewFiles allows limit open files, and more while more are in use at the same time.
func NewFiles(limit int) *Files { return &Files{limit: limit} }

// Open is how many files are open now.
func (f *Files) Open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// opened counts a file that s has opened and uses.
func (f *Files) opened() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
}

// use takes s from the idle ones.
func (f *Files) use(s *Segment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.idle != nil {
		f.idle.Remove(s.idle)
		s.idle = nil
	}
}

// rest puts s among the idle ones, and names those that must close their file for it.
func (f *Files) rest(s *Segment) (victims []*Segment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.idle = f.idle.PushFront(s)
	for over := f.open - f.limit; over > 0 && f.idle.Len() > 0; over-- {
		oldest := f.idle.Back()
		victim := f.idle.Remove(oldest).(*Segment)
		victim.idle = nil
		victims = append(victims, victim)
	}
	return victims
}

// closed counts a file that s has closed.
func (f *Files) closed(s *Segment) {
	f.use(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
}

// Manage lets files decide when the segment's file is open. Without it the file stays open until Close.
func (s *Segment) Manage(files *Files) {
	s.life.Lock()
	s.files = files
	if s.file != nil {
		files.opened()
	}
	idle := s.file != nil && s.refs == 0
	s.life.Unlock()
	if idle {
		s.restFile()
	}
}

// acquire opens the file if it is not open, and keeps it open until release.
func (s *Segment) acquire() (vfs.File, error) {
	s.life.Lock()
	defer s.life.Unlock()
	if s.gone {
		return nil, ErrClosed
	}
	if s.file == nil {
		file, err := s.fs.Open(s.name(s.ext))
		if err != nil {
			return nil, fmt.Errorf("segment: %w", err)
		}
		s.file = file
		if s.files != nil {
			s.files.opened()
		}
	}
	if s.refs++; s.refs == 1 && s.files != nil {
		s.files.use(s)
	}
	return s.file, nil
}

// release ends a use that acquire began.
func (s *Segment) release() {
	s.life.Lock()
	s.refs--
	last := s.refs == 0
	if last && s.gone {
		_ = s.closeFile() // it was only read, or is being removed
	}
	s.life.Unlock()
	if last {
		s.restFile()
	}
}

// restFile tells that the file is not in use, and closes those that others have not used for longer.
func (s *Segment) restFile() {
	s.life.Lock()
	var victims []*Segment
	if s.files != nil && s.refs == 0 && s.file != nil && s.idle == nil {
		victims = s.files.rest(s)
	}
	s.life.Unlock()
	for _, v := range victims {
		v.evict()
	}
}

// evict closes the file if nobody has begun to use it again.
func (s *Segment) evict() {
	s.life.Lock()
	defer s.life.Unlock()
	if s.refs == 0 {
		_ = s.closeFile() // what was written was synced before the last use ended
	}
}

// closeFile closes the file. s.life is held.
func (s *Segment) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if s.files != nil {
		s.files.closed(s)
	}
	return err
}

// Close lets the file go. Reads that are under way go on until they end.
func (s *Segment) Close() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.gone {
		return nil
	}
	s.gone = true
	if s.pinned {
		s.pinned = false
		s.refs--
	}
	if s.refs > 0 {
		return nil // the last one closes it
	}
	return s.closeFile()
}

// pin keeps the file open while it holds bytes that are not synced: their sync must see every failed write.
func (s *Segment) pin() (vfs.File, error) {
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	s.life.Lock()
	already := s.pinned
	s.pinned = true
	s.life.Unlock()
	if already {
		s.release()
	}
	return file, nil
}

// unpin ends what pin began.
func (s *Segment) unpin() {
	s.life.Lock()
	was := s.pinned
	s.pinned = false
	s.life.Unlock()
	if was {
		s.release()
	}
}

// Retire says that the segment's names now belong to another segment, or to none. It goes on answering from the file that
// it has open, and closes it with Close.
func (s *Segment) Retire() error {
	if _, err := s.pin(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
	return nil
}
