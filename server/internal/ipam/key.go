package ipam

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// UID is the immutable key of an object as text: what it is, "_" and 13 digits, as in "pool_0e4q1k2m3n4p5". It sorts by age,
// is never used again, and stays when the name changes.
type UID string

// UIDs that every installation has.
const (
	SystemPrincipalUID UID = "principal_0000000000001"
	SystemChain        UID = "chain_0000000000000" // of events that are about no scope
)

const (
	keyDigits = 13                                 // of 5 bits, for 63
	digits    = "0123456789abcdefghijklmnopqrstuv" // in the order of their bytes
)

// KeyUID is the text of a key; what is a word such as "pool".
func KeyUID(what string, key int64) UID {
	text := make([]byte, len(what)+1+keyDigits)
	text[copy(text, what)] = '_'
	for i := len(text) - 1; i > len(what); i-- {
		text[i] = digits[key&31]
		key >>= 5
	}
	return UID(text)
}

// Key is the number of a UID of whatever kind, and 0, which is no key, when the text is none.
func (u UID) Key() int64 {
	_, text, _ := strings.Cut(string(u), "_")
	if len(text) != keyDigits || text[0] > '7' {
		return 0
	}
	var n uint64
	for i := range len(text) {
		c := text[i]
		switch {
		case '0' <= c && c <= '9':
			n = n<<5 | uint64(c-'0')
		case 'a' <= c && c <= 'v':
			n = n<<5 | uint64(c-'a'+10)
		default:
			return 0
		}
	}
	return int64(n)
}

// KeyOf is the number of a UID of one kind, and 0 when the text is not one.
func KeyOf(what, uid string) int64 {
	if word, _, _ := strings.Cut(uid, "_"); word != what {
		return 0
	}
	return UID(uid).Key()
}

// keys makes keys that rise within a process: 41 bits of milliseconds since keyEpoch, and 22 that start at random in each
// millisecond. Two processes may make the same key; whoever inserts it second is refused by the storage and tries again.
type keys struct {
	mu   sync.Mutex
	last int64
}

var keyEpoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func (k *keys) next(now time.Time) int64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	key := (now.UnixMilli()-keyEpoch)<<22 | int64(binary.BigEndian.Uint32(b[:])>>11)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = max(k.last+1, key)
	return k.last
}

var (
	made    keys
	instead atomic.Pointer[func() int64]
)

// KeysFrom lets a test say which keys NewUID makes, so that two servers can be compared byte by byte; nil ends that.
func KeysFrom(next func() int64) {
	if next == nil {
		instead.Store(nil)
		return
	}
	instead.Store(&next)
}

// NewUID makes the UID of a new object. It is safe for concurrent use.
func NewUID(what string) UID {
	if next := instead.Load(); next != nil {
		return KeyUID(what, (*next)())
	}
	return KeyUID(what, made.next(time.Now()))
}
