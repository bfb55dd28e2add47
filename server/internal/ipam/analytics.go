package ipam

import (
	"math/big"
	"net/netip"
	"time"
)

// Blocks is a number of blocks, and how much space they are: IPv4 addresses, or IPv6 networks of 64 bits.
type Blocks struct {
	Count int64
	Space *big.Rat
}

// Add adds n blocks of a length.
func (b *Blocks) Add(family, length int, n int64) {
	b.Count += n
	b.Space = new(big.Rat).Add(b.space(), new(big.Rat).Mul(new(big.Rat).SetInt64(n), Amount(family, length)))
}

// Plus adds others.
func (b *Blocks) Plus(o Blocks) {
	b.Count += o.Count
	b.Space = new(big.Rat).Add(b.space(), o.space())
}

func (b *Blocks) space() *big.Rat {
	if b.Space == nil {
		return new(big.Rat)
	}
	return b.Space
}

// Float is the space as a number: exact for IPv4, and otherwise the nearest that there is.
func (b *Blocks) Float() float64 {
	f, _ := b.space().Float64()
	return f
}

// Amount is the space of one block: IPv4 addresses, or IPv6 networks of 64 bits.
func Amount(family, length int) *big.Rat {
	size := new(big.Rat).SetInt(Size(family, length))
	if family == 6 {
		size.Quo(size, new(big.Rat).SetInt(Size(6, 64)))
	}
	return size
}

// Split is how space is used. Delegated is what child pools have; the parts are all of it.
type Split struct {
	Delegated, Allocated, Reserved, Held, Quarantined, Free Blocks
}

// Of is the part that a prefix belongs to. What a plan has drafted is held.
func (s *Split) Of(k Kind, status Status) *Blocks {
	switch {
	case status == StatusHeld:
		return &s.Held
	case k == KindPool:
		return &s.Delegated
	case status == StatusReserved:
		return &s.Reserved
	case status == StatusQuarantined:
		return &s.Quarantined
	}
	return &s.Allocated
}

// Used is which share of all parts is not free.
func (s *Split) Used() float64 {
	all := new(big.Rat)
	for _, part := range []*Blocks{&s.Delegated, &s.Allocated, &s.Reserved, &s.Held, &s.Quarantined, &s.Free} {
		all.Add(all, part.space())
	}
	if all.Sign() == 0 {
		return 0
	}
	free, _ := new(big.Rat).Quo(s.Free.space(), all).Float64()
	return 1 - free
}

// Rolled adds what another pool is split into, which has nothing delegated any more.
func (s *Split) Rolled(o Split) {
	for _, part := range []struct{ to, from *Blocks }{
		{&s.Allocated, &o.Allocated}, {&s.Reserved, &o.Reserved}, {&s.Held, &o.Held}, {&s.Quarantined, &o.Quarantined}, {&s.Free, &o.Free},
	} {
		part.to.Plus(*part.from)
	}
}

// PoolUse is how a pool is used: by itself, and with all pools below it, where nothing is delegated.
type PoolUse struct {
	Pool
	Depth          int
	Direct, Rolled Split
}

// Use is how pools are used, parents before children, and all together in each family.
type Use struct {
	Pools     []PoolUse
	IPv4      Split
	IPv6      Split
	Truncated bool // there are more pools; the sums are of all that are visible
}

// Runway is how long the space of a pool lasts, with all pools below it, at the pace of late.
type Runway struct {
	PoolUse
	Since time.Time // when the time begins that the pace is of: no sooner than the pool
	Grown Blocks    // what was allocated and reserved since, and is there now
	Days  float64   // how long what is free lasts
}

// RunwayOf takes a pool that is younger than a day for one of a day: what is made in a minute says nothing of a year.
func RunwayOf(use PoolUse, grown Blocks, since, now time.Time) Runway {
	if use.CreatedAt.After(since) {
		since = use.CreatedAt
	}
	days := max(1, now.Sub(since).Hours()/24)
	return Runway{PoolUse: use, Since: since, Grown: grown, Days: use.Rolled.Free.Float() / grown.Float() * days}
}

// Ending is what ends by itself: an allocation, a reservation, a promise of a plan, a quarantine. The name of a reservation is its reason.
type Ending struct {
	In
	Kind Kind
	ID   string
	Name string
	CIDR netip.Prefix
	At   time.Time
}

// Dimension is what space is grouped by.
type Dimension string

// The dimensions.
const (
	ByScope       Dimension = "scope"
	ByPool        Dimension = "pool"
	ByAccount     Dimension = "account"
	ByOwner       Dimension = "owner"
	ByEnvironment Dimension = "environment"
	ByRegion      Dimension = "region"
	ByPlatform    Dimension = "platform" // of the account
	ByTier        Dimension = "tier"     // of the account
	ByCloud       Dimension = "cloud"    // of the account
)

// Group is the allocations that have something in common; Key is "" for those that do not say.
type Group struct {
	Key        string
	IPv4, IPv6 Blocks
}

// FreeClass is how many free blocks of a length pools have, and how many blocks of that length they could still hand out.
type FreeClass struct {
	Family, Length int
	Blocks         int64
	Fits           *big.Int
}

// Made is how many blocks of each kind that are there now were made in a stretch of time.
type Made struct {
	Start time.Time
	Count map[Kind]int64
}

// Step is a stretch of time in which things are counted.
type Step string

// The steps. A week begins on Monday, all in UTC.
const (
	StepDay   Step = "day"
	StepWeek  Step = "week"
	StepMonth Step = "month"
)

// Begin is the begin of the stretch that a moment is in.
func (s Step) Begin(at time.Time) time.Time {
	at = at.UTC()
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	switch s {
	case StepWeek:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case StepMonth:
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// Next is the begin of the stretch after the one that begins at a moment.
func (s Step) Next(begin time.Time) time.Time {
	switch s {
	case StepWeek:
		return begin.AddDate(0, 0, 7)
	case StepMonth:
		return begin.AddDate(0, 1, 0)
	}
	return begin.AddDate(0, 0, 1)
}
