// Package registry holds the use cases. Each exported method that changes something is one transaction with at least one
// event in it: lock the space, look, decide, write, record.
package registry
