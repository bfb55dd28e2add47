package awsfake

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// parse reads a body of the query protocol.
func parse(body string) (map[string]string, error) {
	values, err := url.ParseQuery(body)
	form := make(map[string]string, len(values))
	for k, v := range values {
		form[k] = v[0]
	}
	return form, err
}

// many are the values of name.1, name.2 and so on.
func (in *call) many(name string) (all []string) {
	for i := 1; ; i++ {
		v, said := in.form[fmt.Sprintf("%s.%d", name, i)]
		if !said {
			return all
		}
		all = append(all, v)
	}
}

// tags are those of name.N.Key and name.N.Value.
func (in *call) tags(name string) (all tags) {
	for i := 1; ; i++ {
		k, said := in.form[fmt.Sprintf("%s.%d.Key", name, i)]
		if !said {
			return all
		}
		all = all.with(k, in.form[fmt.Sprintf("%s.%d.Value", name, i)])
	}
}

// specified are the tags for a new resource.
func (in *call) specified(resource string) (all tags) {
	for i := 1; ; i++ {
		at := fmt.Sprintf("TagSpecification.%d", i)
		what, said := in.form[at+".ResourceType"]
		if !said {
			return all
		}
		if what == resource {
			all = append(all, in.tags(at+".Tag")...)
		}
	}
}

// dryRun ends a call that is only a question.
func (in *call) dryRun() error {
	if in.form["DryRun"] == "true" {
		return refusal{412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."}
	}
	return nil
}

// matches reports whether a thing passes the filters of a call; of names the values that it has.
func (in *call) matches(t tags, of map[string][]string) (bool, error) {
	for i := 1; ; i++ {
		name, said := in.form[fmt.Sprintf("Filter.%d.Name", i)]
		if !said {
			return true, nil
		}
		wanted := in.many(fmt.Sprintf("Filter.%d.Value", i))
		has, known := of[name]
		switch key, isTag := strings.CutPrefix(name, "tag:"); {
		case isTag:
			has = nil
			if v, there := t.get(key); there {
				has = []string{v}
			}
		case name == "tag-key":
			has = nil
			for _, one := range t {
				has = append(has, one.Key)
			}
		case !known:
			return false, refuse("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		if !slices.ContainsFunc(has, func(v string) bool { return slices.Contains(wanted, v) }) {
			return false, nil
		}
	}
}

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type tags []tag

func (t tags) get(key string) (string, bool) {
	for _, one := range t {
		if one.Key == key {
			return one.Value, true
		}
	}
	return "", false
}

// with is these tags and another one, in place of its like.
func (t tags) with(key, value string) tags {
	return append(t.without(key), tag{key, value})
}

func (t tags) without(key string) tags {
	return slices.DeleteFunc(slices.Clone(t), func(one tag) bool { return one.Key == key })
}

// set is a list that is there also where it is empty.
type set[T any] struct {
	Items []T `xml:"item"`
}

func setOf[T, U any](all []T, as func(T) U) (s set[U]) {
	for _, one := range all {
		s.Items = append(s.Items, as(one))
	}
	return s
}
