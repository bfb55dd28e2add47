// Package ipam holds the nouns of address management, their rules and the error model. It does no I/O.
package ipam
