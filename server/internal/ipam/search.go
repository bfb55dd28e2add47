package ipam

import (
	"net/netip"
	"strings"
	"time"
)

// mostWords is how many words of a text are sought; more would narrow little.
const mostWords = 8

// Words are the words of a text that is sought, each in small letters: the first eight.
func Words(text string) []string {
	words := strings.Fields(strings.ToLower(text))
	return words[:min(len(words), mostWords)]
}

// Sought reads what a search is for as a block: an address, which is the block of that address, or a CIDR, whose host bits do not matter here
// since nothing is made of it. False for any other text.
func Sought(text string) (netip.Prefix, bool) {
	text = strings.TrimSpace(text)
	p, err := netip.ParsePrefix(text)
	if err != nil {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return netip.Prefix{}, false
		}
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// Found answers a search: Places for a block, Hits for words. More says that there is more than is shown, or that not all of the words'
// allocations were looked at.
type Found struct {
	Block  netip.Prefix // what was sought, where it is a block
	Places []Place
	Hits   []Hit
	More   bool
}

// Place is what is at a block in one scope.
type Place struct {
	Scope  string
	Status PlaceStatus
	Pools  []Pool       // that contain the block, the outermost first
	Holder *Occupant    // that has all of it
	Free   netip.Prefix // the free block that contains it
	Inside []Prefix     // what is in it and is not all of it, by address
	// Observed is what clouds showed there: around the block, the largest first, and in it.
	Observed []Shown
	More     bool // there is more inside, or observed
}

// PlaceStatus says how a block is used.
type PlaceStatus string

// The statuses of a place, besides those of a prefix.
const (
	PlaceFree    PlaceStatus = "free"    // all of it is free in the last of its pools
	PlaceGuarded PlaceStatus = "guarded" // it would be free, and a cloud uses it, or some of it
	PlaceMixed   PlaceStatus = "mixed"   // several things are in it
	PlaceOutside PlaceStatus = "outside" // no pool has it or a part of it
)

// Occupant is what has a block, with what people ask of it.
type Occupant struct {
	Prefix
	Who, Purpose, Account, Region, Environment string
	Labels                                     Labels
	Until                                      *time.Time // when it ends by itself, or may
}

// Hit is an object that words were found in.
type Hit struct {
	Kind           HitKind
	ID             string
	UID            string // its key
	Name           string
	Scope, Pool    string // that it is in; a scope is in none
	CIDR           netip.Prefix
	Owner, Account string
	Labels         Labels
	Rank           int // how well it fits: 4 its name, 3 the begin of it, 2 a word of it or who has it, 1 anything else
}

// HitKind is the kind of object that was found.
type HitKind string

// The kinds, in the order in which equals are shown.
const (
	HitScope       HitKind = "scope"
	HitPool        HitKind = "pool"
	HitAccount     HitKind = "account"
	HitSet         HitKind = "allocation_set"
	HitAllocation  HitKind = "allocation"
	HitReservation HitKind = "reservation"
	HitHold        HitKind = "hold"
	HitQuarantine  HitKind = "quarantine"
	HitObservation HitKind = "observation"
)

// RankOf says how well words fit: best where the first word is, begins, or is a word of the name, or is who has it.
func RankOf(words []string, name string, who ...string) int {
	first, name := words[0], strings.ToLower(name)
	switch {
	case name == strings.Join(words, " ") || name == first:
		return 4
	case strings.HasPrefix(name, first):
		return 3
	}
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("._-:/ ", r) }) {
		if part == first {
			return 2
		}
	}
	for _, w := range who {
		if strings.EqualFold(w, first) || strings.EqualFold(w, strings.Join(words, " ")) {
			return 2
		}
	}
	return 1
}
