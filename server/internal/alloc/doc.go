// Package alloc decides where a block goes inside a pool: it picks a free block, splits it, and merges it back on release.
package alloc
