// Package arch holds the shape of the server as a test: who may import whom, and why.
package arch
