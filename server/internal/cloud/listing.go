package cloud

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// Global is the region of what has none.
const Global = "global"

// Listing is what a cloud answered about one kind of thing, and how much of it that was. What is in it is there; what is not in it
// is absent only where the view of its region is whole.
type Listing[T any] struct {
	Items []T
	Views []View // one for each region that was asked, sorted; one of "" where not even the regions could be asked
}

// View is how a look at one region ended.
type View struct {
	Region string
	Err    error // nil: the view is whole
}

// Whole reports whether a region was seen completely.
func (l Listing[T]) Whole(region string) bool {
	found := false
	for _, v := range l.Views {
		if v.Region == region || v.Region == "" {
			if v.Err != nil {
				return false
			}
			found = true
		}
	}
	return found
}

// Err is what kept the views from being whole; nil where all are and there is one.
func (l Listing[T]) Err() error {
	if len(l.Views) == 0 {
		return Errorf(CodeUnavailable, "nothing was looked at")
	}
	var all []error
	for _, v := range l.Views {
		all = append(all, v.Err)
	}
	return errors.Join(all...)
}

// Nothing is the listing of somebody who could not even begin.
func Nothing[T any](err error) Listing[T] { return Listing[T]{Views: []View{{Err: err}}} }

// Regions lists each region by itself, at most width at a time: what fails in one changes nothing in another.
func Regions[T any](ctx context.Context, regions []string, width int, list func(ctx context.Context, region string) ([]T, error)) Listing[T] {
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		free = make(chan struct{}, width)
		out  Listing[T]
	)
	for _, region := range regions {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			items, err := list(ctx, region)
			mu.Lock()
			defer mu.Unlock()
			out.Items = append(out.Items, items...)
			out.Views = append(out.Views, View{region, err})
		})
	}
	all.Wait()
	slices.SortFunc(out.Views, func(a, b View) int { return strings.Compare(a.Region, b.Region) })
	return out
}

// Pages asks for page after page until a token is empty. A token that came before ends it with an error: whoever goes on from it
// goes round in a circle, and whoever stops believes to have seen everything.
func Pages(page func(token string) (next string, err error)) error {
	seen := map[string]bool{}
	for token := ""; ; {
		next, err := page(token)
		if err != nil || next == "" {
			return err
		}
		if seen[next] {
			return Errorf(CodeUnavailable, "the cloud repeated a page's token, so what it listed is not all")
		}
		seen[next], token = true, next
	}
}
