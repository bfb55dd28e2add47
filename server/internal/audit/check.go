package audit

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Checked is what an export was found to be.
type Checked struct {
	Events, Chains, Seals int
	Unlinked              int    // events whose predecessor is not in the file, which the export left out
	Key                   string // the public key that signed the seals, in hex; "" when there are none
	Findings              []string
	Omitted               int // findings beyond the first hundred
}

func (c *Checked) find(format string, args ...any) {
	if len(c.Findings) == 100 {
		c.Omitted++
		return
	}
	c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
}

// CheckExport checks an NDJSON export without a server: that each event has the hash that it says, and is linked to the one before it; that
// the seals are signed, by the key if one is named in hex, and that each chain passes through what they say of it; that the file is whole.
// Its memory grows with the chains and seals and not with the events. The error is about reading.
func CheckExport(r io.Reader, key string) (Checked, error) {
	type link struct {
		seq  int64
		hash []byte
	}
	var c Checked
	in := bufio.NewReaderSize(r, 1<<20)
	chains := map[ipam.UID]link{}
	sealed := map[ipam.UID]map[int64][]byte{}
	var seal ipam.Seal
	var end *End
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(text)) > 0 {
			var l Line
			if wrong := json.Unmarshal(text, &l); wrong != nil {
				c.find("line %d cannot be read: %v", n, wrong)
			} else if end != nil {
				c.find("line %d is behind the end", n)
			} else if l.End != nil {
				end = l.End
			} else if l.Seal != nil {
				if c.Seals++; c.Seals == 1 && l.Seal.Number > 1 {
					c.find("the first seal is number %d", l.Seal.Number)
				}
				if wrong := l.Seal.Check(seal); wrong != nil {
					c.find("line %d: %v", n, wrong)
				}
				has := hex.EncodeToString(l.Seal.Key)
				if key != "" && has != key {
					c.find("line %d: seal %d is signed with the key %s", n, l.Seal.Number, has)
				}
				if c.Key != "" && has != c.Key && key == "" {
					c.find("line %d: seal %d is signed with another key than the one before it", n, l.Seal.Number)
				}
				c.Key, seal = has, *l.Seal
				for _, h := range l.Seal.Heads {
					if sealed[h.Chain] == nil {
						sealed[h.Chain] = map[int64][]byte{}
					}
					sealed[h.Chain][h.Sequence] = h.Hash
				}
			} else {
				c.Events++
				e, wrong := l.event()
				before, begun := chains[e.Chain]
				switch {
				case wrong != nil:
					c.find("line %d: the hash of event %s cannot be read", n, e.ID)
				case e.Seq == before.seq+1 && !bytes.Equal(e.Link(before.hash), e.Hash):
					c.find("line %d: event %d of %s (%s) does not match its hash", n, e.Seq, e.Chain, e.ID)
				case begun && e.Seq <= before.seq:
					c.find("line %d: event %d of %s comes behind event %d", n, e.Seq, e.Chain, before.seq)
				case e.Seq != before.seq+1:
					c.Unlinked++
				}
				if want, is := sealed[e.Chain][e.Seq]; is && !bytes.Equal(want, e.Hash) {
					c.find("line %d: event %d of %s (%s) is not the one that was sealed", n, e.Seq, e.Chain, e.ID)
				}
				chains[e.Chain] = link{e.Seq, e.Hash}
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return c, err
		}
	}
	c.Chains = len(chains)
	switch {
	case end == nil:
		c.find("the file has no end: the export broke off")
	case end.Events != c.Events:
		c.find("the file says that it has %d events, and has %d", end.Events, c.Events)
	case end.Whole && c.Unlinked > 0:
		c.find("%d events are missing before others, of an export of all", c.Unlinked)
	}
	if end != nil && end.Whole {
		for chain, heads := range sealed {
			for seq := range heads {
				if seq > chains[chain].seq {
					c.find("%s ends with event %d, and event %d of it was sealed", chain, chains[chain].seq, seq)
				}
			}
		}
	}
	return c, nil
}
