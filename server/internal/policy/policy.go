// Package policy says why something breaks the policies around it, and why policies contradict each other. It is pure: what it judges
// are facts, wherever they come from, so that a request, a plan, a dry run and a look at what stands are judged alike.
package policy

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Facts are what is judged: an allocation, a pool, or a promise of one.
type Facts struct {
	Kind ipam.Kind // allocation or pool
	ID   string
	ipam.In
	Name string // "": not judged
	CIDR netip.Prefix
	Told bool // what it is for is known; of a promise it may not be
	ipam.Meant
}

// Allocation are the facts of an allocation.
func Allocation(a ipam.Allocation) Facts {
	f := Facts{Kind: ipam.KindAllocation, ID: a.ID, In: a.In, Name: a.Name, CIDR: a.CIDR, Told: true, Meant: ipam.Meant{
		Owner: a.Owner, Purpose: a.Purpose, Account: a.Account, Region: a.Region, Environment: a.Environment, Labels: a.Labels,
	}}
	if strings.Contains(f.Name, "~") { // it steps aside, and nobody asked for the name
		f.Name = ""
	}
	return f
}

// Pool are the facts of a pool or a draft in its parent.
func Pool(p ipam.Pool) Facts {
	return Facts{Kind: ipam.KindPool, ID: p.ID, In: p.Around(), CIDR: p.CIDR, Told: true, Meant: ipam.Meant{
		Owner: p.Owner, Account: p.Account, Region: p.Region, Environment: p.Environment, Labels: p.Labels,
	}, Name: p.Name}
}

// Promise are the facts of a hold for an allocation; meant is nil where the plan does not say what it is for.
func Promise(in ipam.In, name string, cidr netip.Prefix, meant *ipam.Meant) Facts {
	f := Facts{Kind: ipam.KindAllocation, In: in, Name: name, CIDR: cidr}
	if meant != nil {
		f.Told, f.Meant = true, *meant
	}
	return f
}

// Quarantine are the facts of what a block that rests was.
func Quarantine(q ipam.Quarantine) Facts {
	f := Facts{Kind: ipam.KindAllocation, In: q.In, Name: q.Name, CIDR: q.CIDR, Meant: ipam.Meant{Owner: q.Owner}}
	if q.Was != nil {
		f.Meant = Allocation(*q.Was).Meant
	}
	return f
}

// Of are the facts of a state of an object; false of what no policy is about.
func Of(state any) (Facts, bool) {
	switch s := state.(type) {
	case ipam.Allocation:
		return Allocation(s), true
	case ipam.Pool:
		return Pool(s), s.ParentUID != "" && s.DraftGrows == ""
	case ipam.Hold:
		return Promise(s.In, s.Name, s.CIDR, nil), s.Kept && ipam.CheckFreeName("", s.Name) == nil
	}
	return Facts{}, false
}

// Standing are the facts of what stands, and not of what a plan was promised: that is judged again when it is to stand.
func Standing(state any) (Facts, bool) {
	if p, is := state.(ipam.Pool); is && p.DraftUntil != nil {
		return Facts{}, false
	}
	if _, is := state.(ipam.Hold); is {
		return Facts{}, false
	}
	return Of(state)
}

// Chain are the policies around a place, the outermost first. All of them hold.
type Chain []ipam.Policy

// Judge says which rules something breaks in a pool, each once: by the policy that says so first. What takes sums, a share, it leaves out.
func (c Chain) Judge(f Facts, pool ipam.Pool) (broken []ipam.Violation) {
	told := map[string]bool{}
	for _, p := range c {
		for _, v := range c.judgeOne(p, f, pool) {
			if !told[v.Rule] {
				told[v.Rule] = true
				broken = append(broken, v)
			}
		}
	}
	return broken
}

// JudgeLength is Judge of a length alone, before a block of it is chosen: so that no full pool answers first.
func (c Chain) JudgeLength(kind ipam.Kind, length int, pool ipam.Pool) []ipam.Violation {
	for _, p := range c {
		if broken := c.judgeLength(p, kind, length, pool); broken != nil {
			return broken
		}
	}
	return nil
}

func (c Chain) judgeLength(p ipam.Policy, kind ipam.Kind, length int, pool ipam.Pool) (broken []ipam.Violation) {
	lowest, highest, prefix := p.Rules.Min, p.Rules.Max, ""
	if kind == ipam.KindPool {
		lowest, highest, prefix = p.Rules.PoolMin, p.Rules.PoolMax, "pool_"
	}
	say := func(rule, what string, bound int) []ipam.Violation {
		return []ipam.Violation{{Rule: prefix + rule, Pool: p.Pool, Pointer: "/prefix_length", Detail: fmt.Sprintf("a /%d is too %s: %s has %s%s %d; use %s", length, what, p.Named(), prefix, rule, bound, c.lengths(kind, pool))}}
	}
	switch {
	case lowest != nil && length < *lowest:
		return say("min_prefix_length", "large", *lowest)
	case highest != nil && length > *highest:
		return say("max_prefix_length", "small", *highest)
	}
	return nil
}

func (c Chain) judgeOne(p ipam.Policy, f Facts, pool ipam.Pool) (broken []ipam.Violation) {
	r := p.Rules
	add := func(rule, pointer, format string, args ...any) {
		broken = append(broken, ipam.Violation{Rule: rule, Pool: p.Pool, Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	broken = c.judgeLength(p, f.Kind, f.CIDR.Bits(), pool)
	if x, excluded := excludes(r.Excluded(), f); excluded {
		add("exclude", "/cidr", "%s is in %s, which %s excludes; name another block, or none to have one chosen", f.CIDR, x, p.Named())
	} else if single(f) && slices.ContainsFunc(unusable(r, pool), f.CIDR.Overlaps) {
		add("usable_only", "/cidr", "%s is not handed out: %s keeps %s free; name another address, or none to have one chosen", f.CIDR.Addr(), p.Named(), kept(r, pool))
	}
	if pattern := r.NamePattern; pattern != "" && f.Name != "" && f.Kind == ipam.KindAllocation && !matches(pattern, f.Name) {
		add("name_pattern", "/name", "the name %q does not match %s, as %s asks", f.Name, pattern, p.Named())
	}
	if !f.Told {
		return broken
	}
	for _, list := range []struct {
		rule, pointer, has string
		of                 []string
	}{
		{"accounts", "/account", f.Account, r.Accounts}, {"regions", "/region", f.Region, r.Regions}, {"environments", "/environment", f.Environment, r.Environments},
	} {
		what := strings.TrimPrefix(list.pointer, "/")
		switch {
		case len(list.of) == 0 || slices.Contains(list.of, list.has):
		case list.has != "":
			add(list.rule, list.pointer, "%s %q is not allowed by %s; use %s", what, list.has, p.Named(), anyOf(list.of))
		case f.Kind != ipam.KindPool:
			add(list.rule, list.pointer, "no %s is named, and %s asks for one; use %s", what, p.Named(), anyOf(list.of))
		}
	}
	if f.Kind == ipam.KindAllocation {
		if r.OwnerRequired && f.Owner == "" {
			add("owner_required", "/owner", "no owner is named, and %s asks for one", p.Named())
		}
		for _, key := range slices.Sorted(maps.Keys(r.RequiredLabels)) {
			value, has := f.Labels[key]
			switch does := r.RequiredLabels[key]; {
			case !has && len(does) == 0:
				add("required_labels/"+key, "/labels", "the label %q is missing, which %s asks for", key, p.Named())
			case !has:
				add("required_labels/"+key, "/labels", "the label %q is missing, which %s asks for; use %s", key, p.Named(), anyOf(does))
			case len(does) > 0 && !slices.Contains(does, value):
				add("required_labels/"+key, "/labels", "the label %s=%s is not allowed by %s; use %s", key, value, p.Named(), anyOf(does))
			}
		}
	}
	if r.Expression != "" {
		if why := evaluate(r.Expression, f); why != "" {
			say := "its expression is " + why + ": " + r.Expression
			if r.Message != "" {
				say = r.Message + " (its expression is " + why + ")"
			}
			add("expression", "", "%s refuses this: %s", p.Named(), say)
		}
	}
	return broken
}

// lengths are how people read the lengths of a kind that all policies allow.
func (c Chain) lengths(kind ipam.Kind, pool ipam.Pool) string {
	low, high := c.Lengths(kind, pool)
	if low == high {
		return fmt.Sprintf("a /%d", low)
	}
	return fmt.Sprintf("/%d to /%d", low, high)
}

// Lengths are the prefix lengths that all policies, and the pool itself, allow of a kind.
func (c Chain) Lengths(kind ipam.Kind, pool ipam.Pool) (low, high int) {
	low, high = pool.CIDR.Bits(), pool.CIDR.Addr().BitLen()
	narrow := func(lowest, highest *int) {
		if lowest != nil {
			low = max(low, *lowest)
		}
		if highest != nil {
			high = min(high, *highest)
		}
	}
	narrow(pool.Sizes.Min, pool.Sizes.Max)
	for _, p := range c {
		if kind == ipam.KindPool {
			narrow(p.Rules.PoolMin, p.Rules.PoolMax)
		} else {
			narrow(p.Rules.Min, p.Rules.Max)
		}
	}
	return low, high
}

// Barred are the ranges of a pool that no allocation of a length gets, with the ids of the pools that say so.
func (c Chain) Barred(pool ipam.Pool, length int) (barred []netip.Prefix, by []string) {
	for _, p := range c {
		was := len(barred)
		for _, x := range p.Rules.Excluded() {
			if x.Overlaps(pool.CIDR) {
				barred = append(barred, x)
			}
		}
		if length == pool.CIDR.Addr().BitLen() {
			barred = append(barred, unusable(p.Rules, pool)...)
		}
		if len(barred) > was {
			by = append(by, p.Pool)
		}
	}
	return barred, by
}

func single(f Facts) bool {
	return f.Kind == ipam.KindAllocation && f.CIDR.IsSingleIP()
}

// excludes finds the range that something may not be in: an allocation shares no address with it, and a pool has some outside.
func excludes(ranges []netip.Prefix, f Facts) (netip.Prefix, bool) {
	for _, x := range ranges {
		if x.Overlaps(f.CIDR) && (f.Kind != ipam.KindPool || x.Bits() <= f.CIDR.Bits()) {
			return x, true
		}
	}
	return netip.Prefix{}, false
}

// unusable are the single addresses of a pool that rules keep: its first ones, and its last where that is the broadcast address. A pool of
// two addresses or one has neither (RFC 3021).
func unusable(r ipam.Rules, pool ipam.Pool) (kept []netip.Prefix) {
	width := pool.CIDR.Addr().BitLen()
	first := r.SkipFirst
	if r.UsableOnly && pool.CIDR.Bits() < width-1 {
		first = max(first, 1)
		if width == 32 {
			kept = append(kept, netip.PrefixFrom(ipam.LastIP(pool.CIDR), width))
		}
	}
	at := pool.CIDR.Addr()
	for bits := pool.CIDR.Bits(); bits <= width && first > 0; bits++ {
		if k := width - bits; k > 10 || first < 1<<k {
			continue
		}
		block := netip.PrefixFrom(at, bits)
		kept, first = append(kept, block), first-1<<(width-bits)
		if bits == pool.CIDR.Bits() {
			break // all of it
		}
		at = ipam.LastIP(block).Next()
	}
	return kept
}

func kept(r ipam.Rules, pool ipam.Pool) string {
	var what []string
	if r.SkipFirst > 0 {
		what = append(what, fmt.Sprintf("its first %d", r.SkipFirst))
	}
	if r.UsableOnly {
		what = append(what, "network and broadcast addresses")
	}
	return strings.Join(what, " and ") + " of " + pool.CIDR.String()
}

func anyOf(values []string) string {
	const most = 10
	quoted := make([]string, 0, most)
	for i, v := range values {
		if i == most {
			quoted = append(quoted, fmt.Sprintf("one of %d more", len(values)-most))
			break
		}
		quoted = append(quoted, fmt.Sprintf("%q", v))
	}
	if n := len(quoted); n > 1 {
		return strings.Join(quoted[:n-1], ", ") + " or " + quoted[n-1]
	}
	return quoted[0]
}

// cache keeps what was compiled of some text: policies are few, and asked on every change.
type cache[T any] struct {
	sync.Mutex
	made map[string]T
}

func (c *cache[T]) of(text string, compile func(string) (T, error)) (T, error) {
	c.Lock()
	defer c.Unlock()
	if known, found := c.made[text]; found {
		return known, nil
	}
	fresh, err := compile(text)
	if err == nil {
		if len(c.made) >= 256 || c.made == nil {
			c.made = map[string]T{}
		}
		c.made[text] = fresh
	}
	return fresh, err
}

var patterns cache[*regexp.Regexp]

func matches(pattern, name string) bool {
	re, err := patterns.of(pattern, func(p string) (*regexp.Regexp, error) { return regexp.Compile(`^(?:` + p + `)$`) })
	return err == nil && re.MatchString(name)
}
