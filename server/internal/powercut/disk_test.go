package powercut

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// disk is the log of what happened to the files of a folder, and of what clients asked for and were answered meanwhile.
type disk struct {
	folder string
	mu     sync.Mutex
	log    []entry
}

// entry is one thing that happened.
type entry struct {
	what   kind
	file   string
	offset int64 // of a write; the size of a truncate
	bytes  []byte
	op     int  // of a begin or an answer
	synced bool // a remove that its folder was synced for
}

type kind string

const (
	writes    kind = "write"
	truncates kind = "truncate"
	syncs     kind = "sync"
	removes   kind = "remove"
	begins    kind = "begin"  // a client asks
	answers   kind = "answer" // and is answered
)

func (d *disk) add(e entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, e)
}

func (d *disk) sync(file string) { d.add(entry{what: syncs, file: file}) }
func (d *disk) write(file string, offset int64, b []byte) {
	d.add(entry{what: writes, file: file, offset: offset, bytes: bytes.Clone(b)})
}

func (d *disk) truncate(file string, size int64) {
	d.add(entry{what: truncates, file: file, offset: size})
}

func (d *disk) remove(file string, synced bool) {
	d.add(entry{what: removes, file: file, synced: synced})
}
func (d *disk) begin(op int)  { d.add(entry{what: begins, op: op}) }
func (d *disk) answer(op int) { d.add(entry{what: answers, op: op}) }

// state is what a disk certainly has at a point of the log, and what it may have.
type state struct {
	honest bool // what it says is flushed is
	files  map[string]*file
}

// file is what lies under a name.
type file struct {
	certain []byte  // what was synced
	since   []entry // writes and truncates that were not
	exists  bool    // its name is on the disk for certain
	removed bool    // SQLite has removed it
	before  *file   // what was under the name, as long as that may still be there
}

// newState is a disk that certainly has some files.
func newState(has map[string][]byte, honest bool) *state {
	s := &state{honest: honest, files: map[string]*file{}}
	for name, content := range has {
		s.files[name] = &file{certain: bytes.Clone(content), exists: true}
	}
	return s
}

func contents(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string][]byte{}
	for _, f := range found {
		if has[f.Name()], err = os.ReadFile(filepath.Join(folder, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return has
}

// apply moves on by one entry.
func (s *state) apply(e entry) {
	f := s.files[e.file]
	if e.what != removes && (f == nil || f.removed) { // it was made since
		f = &file{before: f}
		s.files[e.file] = f
	}
	switch e.what {
	case writes, truncates:
		f.since = append(f.since, e)
	case syncs:
		if !s.honest {
			return
		}
		for _, w := range f.since {
			f.certain = w.on(f.certain)
		}
		// SQLite syncs the folder with the first sync of a file that it has made.
		f.since, f.exists, f.before = nil, true, nil
	case removes:
		if e.synced {
			delete(s.files, e.file)
		} else if f != nil {
			f.removed = true
		}
	}
}

// on is a content after the whole of an entry.
func (e entry) on(content []byte) []byte {
	if e.what == truncates {
		return sized(content, e.offset)
	}
	content = sized(content, max(int64(len(content)), e.offset+int64(len(e.bytes))))
	copy(content[e.offset:], e.bytes)
	return content
}

func sized(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}

// cut writes into a folder what a disk may have when the power goes now.
func (s *state) cut(t testing.TB, draw *rand.Rand, folder string) {
	t.Helper()
	for _, name := range []string{"cloudpam.db", "cloudpam.db-wal", "cloudpam.db-journal"} {
		if f := s.files[name].left(draw); f != nil {
			if err := os.WriteFile(filepath.Join(folder, name), f.content(draw), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// left is which file is under a name after the cut; nil is none.
func (f *file) left(draw *rand.Rand) *file {
	switch {
	case f == nil:
		return nil
	case f.removed, !f.exists: // its folder was not synced since
		if draw.IntN(2) == 0 {
			return f.before.left(draw)
		}
	}
	return f
}

// content is what was synced, and of what was written since as much as a disk happens to have got round to: any sector of
// any write, in any order. Where a file grew and nothing was written there is what was on the disk before.
func (f *file) content(draw *rand.Rand) []byte {
	out := bytes.Clone(f.certain)
	// From nothing to all, so that also the ends come about.
	odds := []int{0, 5, 50, 95, 100}[draw.IntN(5)]
	whole := draw.IntN(2) == 0 // writes are not torn
	for _, e := range f.since {
		if e.what == truncates || whole {
			if draw.IntN(100) < odds {
				out = e.on(out)
			}
			continue
		}
		for from := e.offset; from < e.offset+int64(len(e.bytes)); {
			to := min((from/sector+1)*sector, e.offset+int64(len(e.bytes)))
			if draw.IntN(100) < odds {
				out = grown(draw, out, from)
				out = entry{what: writes, offset: from, bytes: e.bytes[from-e.offset : to-e.offset]}.on(out)
			}
			from = to
		}
	}
	return out
}

// grown is a content up to an offset, of which what is new is zeros or rubbish.
func grown(draw *rand.Rand, content []byte, to int64) []byte {
	old := len(content)
	content = sized(content, max(int64(old), to))
	if draw.IntN(2) == 0 {
		for i := old; i < len(content); i++ {
			content[i] = byte(draw.Uint32())
		}
	}
	return content
}
