// Package httpapi serves the contract over HTTP: it decodes, calls the registry once, and encodes. A request passes
//
//	identify → log and count → authenticate → limit and read the body → check the query → validate → handler → registry
//
// and every failure on the way becomes one application/problem+json (RFC 9457) in error.go.
package httpapi
