package cloudpam

import "iter"

// pages walks a list from page to page: fetch gets the token of the page it shall return, nil for the first,
// and answers with the items and the token of the page after. An error ends the walk and is its last element.
func pages[T any](fetch func(token *string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var token *string
		for {
			items, next, err := fetch(token)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil || *next == "" {
				return
			}
			token = next
		}
	}
}

// Collect gathers a list into a slice, up to the first error.
func Collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for item, err := range list {
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, nil
}
