package ipam

import (
	"fmt"
	"maps"
	"slices"
)

// Renames gives members of a set other keys: new key → old key. Whoever says them may say them again afterwards, so one whose old
// key no member has is passed over.
type Renames map[string]string

// Of is what the renames come to for the members that a set has: old key → new key. Wanted are those that it shall have, keys that
// stay included; where it is not given, they are what is renamed and the rest. Errors: CodeInvalid at the new key, where two members
// would have one key, or one member two.
func (r Renames) Of(has []Allocation, wanted SetSizes) (map[string]string, error) {
	there, to, from := map[string]bool{}, map[string]string{}, map[string]bool{}
	for _, a := range has {
		there[a.SetKey] = true
	}
	for _, key := range slices.Sorted(maps.Keys(r)) {
		old := r[key]
		if other, twice := to[old]; twice {
			return nil, renamed(key, "the member %q is renamed to %q too; it can have one key", old, other)
		}
		if !setKey.MatchString(key) {
			return nil, renamed(key, "%q is not a key; use 1 to 63 letters, digits and . _ -, with a letter or digit at both ends", key)
		}
		if there[old] {
			to[old], from[key] = key, true
		}
	}
	all, err := wanted.All()
	if err != nil {
		return nil, err
	}
	for _, old := range slices.Sorted(maps.Keys(to)) {
		key := to[old]
		_, asked := all[key]
		_, still := all[old]
		_, leaves := to[key]
		switch {
		case there[key] && !leaves:
			return nil, renamed(key, "the set has a member %q already, so %q cannot become it; rename that one too, or choose another key", key, old)
		case !wanted.Given():
		case still && !from[old]:
			return nil, renamed(key, "the member %q is still asked for, so it cannot become %q; leave out %q, or do not rename it", old, key, old)
		case !asked:
			return nil, renamed(key, "the member %q is to become %q, which the set does not ask for; ask for %q, or do not rename it", old, key, key)
		}
	}
	return to, nil
}

func renamed(key, format string, args ...any) error {
	return Invalid("/renamed/"+pointerEscapes.Replace(key), format, args...)
}

// Rekeyed are the members of a set once some have other keys: old key → new key. Only those have another name then.
func Rekeyed(has []Allocation, set string, to map[string]string) []Allocation {
	after := slices.Clone(has)
	for i, a := range after {
		if key, moves := to[a.SetKey]; moves && key != a.SetKey {
			after[i].SetKey, after[i].Name = key, MemberName(set, key)
		}
	}
	return after
}

// CheckAdopts refuses to a set an allocation that is another block than the member it would be: size and length are what the set asks for.
func (a Allocation) CheckAdopts(size BlockSize, length int) error {
	asked := ""
	switch {
	case size.CIDR.IsValid() && size.CIDR != a.CIDR:
		asked = size.CIDR.String()
	case !size.CIDR.IsValid() && (size.Length != nil || size.Hosts != 0) && length != a.CIDR.Bits():
		asked = fmt.Sprint("a /", length)
	default:
		return nil
	}
	e := Errorf(CodeNameTaken, "the allocation %q, %s, is %s and the set asks for %s, so it is not adopted", a.Name, a.ID, a.CIDR, asked)
	e.Fields = []FieldError{{Pointer: "/name", Detail: e.Detail}}
	e.Holders = []Holder{{Kind: KindAllocation, ID: a.ID, Name: a.Name, CIDR: a.CIDR}}
	return e
}

// Joins is the allocation as a member that a set asks for. What the set says of its members is said of it too, labels one by one; what
// the set leaves open stays as it was.
func (a Allocation) Joins(member NewAllocation) Allocation {
	a.Set, a.SetKey = member.Set, member.SetKey
	for _, f := range []struct {
		of   *string
		says string
	}{
		{&a.Description, member.Description},
		{&a.Owner, member.Owner},
		{&a.Purpose, member.Purpose},
		{&a.Account, member.Account},
		{&a.Region, member.Region},
		{&a.Environment, member.Environment},
	} {
		if f.says != "" {
			*f.of = f.says
		}
	}
	a.Labels = maps.Clone(a.Labels)
	maps.Copy(a.Labels, member.Labels)
	return a
}
