package ipam

import (
	"slices"
	"strconv"
	"strings"
)

// Match is an If-Match header (RFC 9110, section 13.1.1): the versions that a change is about. The zero Match is no header.
//
// Tags are compared as opaque text, but for what proxies on the way do to them: one that compresses marks a tag as weak
// (W/"x") or adds a suffix ("x-gzip", "x;br"). Ours name a state of an object, not the bytes of an answer, so that neither
// makes it another.
type Match struct {
	any  bool
	tags []string
}

// AnyVersion is If-Match: *, whichever version is current.
var AnyVersion = Match{any: true}

// Exactly is the Match of one tag, as an ETag method gives it.
func Exactly(tag string) Match { return Match{tags: []string{tag}} }

// ParseMatch reads the header. Errors: CodeInvalid.
func ParseMatch(header string) (Match, error) {
	if strings.TrimSpace(header) == "*" {
		return AnyVersion, nil
	}
	var m Match
	for one := range strings.SplitSeq(header, ",") {
		quoted, found := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(one), "W/"), `"`)
		tag, closed := strings.CutSuffix(quoted, `"`)
		if end := strings.IndexFunc(tag, notOfTag); end >= 0 {
			tag = tag[:end]
		}
		if !found || !closed || tag == "" {
			return Match{}, Invalid("header:If-Match", `%q is not an ETag; send the ETag header of your last read as it came, in its quotes`, one)
		}
		m.tags = append(m.tags, tag)
	}
	return m, nil
}

// notOfTag reports whether no tag of ours has the character.
func notOfTag(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && r != '_' && r != '.'
}

// Check refuses a version that the request is not about; a request that names none is about any. Errors: CodePreconditionFailed.
func (m Match) Check(what, id, current string) error {
	if m.any || m.tags == nil || slices.Contains(m.tags, current) {
		return nil
	}
	return Errorf(CodePreconditionFailed, `%s %q has changed: its ETag is "%s", the request is about "%s"; read it again`, what, id, current, strings.Join(m.tags, `", "`))
}

// Require is Check for changes that must name a version. Errors: CodePreconditionRequired too.
func (m Match) Require(what, id, current string) error {
	if !m.any && m.tags == nil {
		return Errorf(CodePreconditionRequired, "say which version of %s %q this is about: send If-Match with the ETag of your last read", what, id)
	}
	return m.Check(what, id, current)
}

// etag names a version of an object for good: an object that is deleted and made anew has another key.
func etag(uid UID, version int64) string { return string(uid) + "." + strconv.FormatInt(version, 10) }

// ETag names the pool's version.
func (p Pool) ETag() string { return etag(p.UID, p.Version) }

// ETag names the scope's version.
func (s Scope) ETag() string { return etag(s.UID, s.Version) }

// ETag names the account's version.
func (a Account) ETag() string { return etag(a.UID, a.Version) }

// ETag names the allocation's version.
func (a Allocation) ETag() string { return etag(UID(a.ID), a.Version) }

// ETag names the set's version.
func (s AllocationSet) ETag() string { return etag(UID(s.ID), s.Version) }

// ETag names the reservation's version.
func (r Reservation) ETag() string { return etag(UID(r.ID), r.Version) }

// ETag names the webhook's version.
func (w Webhook) ETag() string { return etag(w.ID, w.Version) }
