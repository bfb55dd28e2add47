package issuer

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// Claims are what a token says of its subject.
type Claims map[string]any

// Give is what a rule gives.
type Give struct {
	Rule string
	ipam.NewBinding
}

func (r Rule) gives() ipam.NewBinding {
	return ipam.NewBinding{Role: r.Role, Scope: r.Scope, Pool: r.Pool, Largest: r.Largest, Labels: r.Labels}
}

// matches reports whether claims are all that a rule wants.
func (r Rule) matches(of Claims) bool {
	for claim, patterns := range r.when {
		if !slices.ContainsFunc(of.texts(claim), func(have string) bool {
			return slices.ContainsFunc(patterns, func(want *regexp.Regexp) bool { return want.MatchString(unslashed(have)) })
		}) {
			return false
		}
	}
	return true
}

// texts are the values of a claim. A name means the claim that is called so, to the letter: names may be addresses, as
// "https://example.com/groups". One that begins with a slash and is no claim's is a JSON pointer, as "/realm_access/roles".
func (c Claims) texts(claim string) []string {
	value, there := c[claim]
	if pointer, is := strings.CutPrefix(claim, "/"); !there && is {
		value = any(map[string]any(c))
		for part := range strings.SplitSeq(pointer, "/") {
			object, _ := value.(map[string]any)
			value = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
	}
	list, is := value.([]any)
	if !is {
		list = []any{value}
	}
	var all []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case bool:
			all = append(all, strconv.FormatBool(v))
		case json.Number:
			all = append(all, v.String())
		}
	}
	return all
}

// only are the claims that some rules look at, so that no more of a person is kept than that.
func (c Claims) only(rules []Rule) Claims {
	kept := Claims{}
	for _, r := range rules {
		for claim := range maps.Keys(r.When) {
			if all := c.texts(claim); len(all) > 0 {
				values := make([]any, len(all))
				for i, v := range all {
					values[i] = v
				}
				kept[claim] = values
			}
		}
	}
	return kept
}

// unslashed is a value without the slash that some issuers put before names of groups, and others do not.
func unslashed(text string) string { return strings.TrimPrefix(text, "/") }

// pattern makes what a text must follow, in which * stands for any letters but / and :, and ** for any.
func pattern(text string) *regexp.Regexp {
	parts := strings.Split(regexp.QuoteMeta(unslashed(text)), `\*\*`)
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(part, `\*`, "[^/:]*")
	}
	return regexp.MustCompile("^(?s:" + strings.Join(parts, ".*") + ")$")
}

// compile readies a rule to be matched.
func (r *Rule) compile() {
	r.when = map[string][]*regexp.Regexp{}
	for claim, values := range r.When {
		for _, v := range values {
			r.when[claim] = append(r.when[claim], pattern(v))
		}
	}
}
