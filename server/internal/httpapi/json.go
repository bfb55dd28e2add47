package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// maxDepth bounds the nesting of a body; the contract itself needs two levels.
const maxDepth = 32

// checkJSON refuses what encoding/json would silently make something of: a key given twice (the last would win), bytes that
// are not text, half a character, anything behind the value, and nesting beyond reason.
func checkJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return ipam.Invalid("", "the body is not UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := (jsonBody{d, body}).check("", 0); err != nil {
		if e, ok := errors.AsType[*ipam.Error](err); ok {
			return e
		}
		return ipam.Invalid("", "the body is not JSON: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ipam.Invalid("", "the body has more than one JSON value")
	}
	return nil
}

// jsonBody is a body and how far it is read.
type jsonBody struct {
	*json.Decoder
	text []byte
}

// next is the next token, and why its text cannot be stored; "" when it can.
func (b jsonBody) next() (token json.Token, fault string, err error) {
	begin := b.InputOffset()
	token, err = b.Token()
	text, ok := token.(string)
	switch {
	case err != nil || !ok:
	case !isText(text):
		fault = "the character U+0000 cannot be stored"
	case strings.ContainsRune(text, utf8.RuneError) && halfCharacter(b.text[begin:b.InputOffset()]):
		fault = "half of a character, a \\u escape of U+D800 to U+DFFF without its other half, cannot be stored"
	}
	return token, fault, err
}

// halfCharacter reports whether a literal has an escape of one half of a UTF-16 pair alone, which encoding/json replaces.
func halfCharacter(literal []byte) bool {
	for i := 0; i < len(literal); i++ {
		if literal[i] != '\\' {
			continue
		}
		if r := escaped(literal[i:]); utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, escaped(literal[i+6:])) == utf8.RuneError {
				return true
			}
			i += 10
		}
		i++
	}
	return false
}

// escaped is the number of a \u escape that a text begins with; -1: it does not.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}

func (b jsonBody) check(at string, depth int) error {
	if depth > maxDepth {
		return ipam.Invalid("", "the body is nested more than %d levels deep", maxDepth)
	}
	token, fault, err := b.next()
	if err != nil {
		return err
	}
	if fault != "" {
		return ipam.Invalid(at, "%s", fault)
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for b.More() {
			key, fault, err := b.next()
			if err != nil {
				return err
			}
			name := key.(string)
			pointer := at + "/" + escapePointer(name)
			if fault != "" {
				return ipam.Invalid(at, "the key %q: %s", name, fault)
			}
			if seen[name] {
				return ipam.Invalid(pointer, "the key %q is given twice; give it once", name)
			}
			seen[name] = true
			if err := b.check(pointer, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; b.More(); i++ {
			if err := b.check(at+"/"+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = b.Token() // the closing bracket
	return err
}

// escapePointer writes a key as a part of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
