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

// parseJSON reads a body, nil for an empty one, and refuses what encoding/json would silently make something of: a key given
// twice (the last would win), bytes that are not text, half a character, anything behind the value, and nesting beyond reason.
func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, ipam.Invalid("", "the body is not UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	b := jsonBody{d, body}
	value, err := b.value(nil, 0)
	if err != nil {
		if e, ok := errors.AsType[*ipam.Error](err); ok {
			return nil, e
		}
		return nil, ipam.Invalid("", "the body is not JSON: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, ipam.Invalid("", "the body has more than one JSON value")
	}
	return value, nil
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

// place is where in a body a value is; nil is the body itself.
type place struct {
	in   *place
	name string
}

func (p *place) pointer() string {
	if p == nil {
		return ""
	}
	return p.in.pointer() + "/" + escapePointer(p.name)
}

func (b jsonBody) value(at *place, depth int) (any, error) {
	if depth > maxDepth {
		return nil, ipam.Invalid("", "the body is nested more than %d levels deep", maxDepth)
	}
	token, fault, err := b.next()
	if err != nil {
		return nil, err
	}
	if fault != "" {
		return nil, ipam.Invalid(at.pointer(), "%s", fault)
	}
	var value any
	switch token {
	case json.Delim('{'):
		value, err = b.object(at, depth)
	case json.Delim('['):
		list := []any{}
		for i := 0; b.More(); i++ {
			item, err := b.value(&place{at, strconv.Itoa(i)}, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		value = list
	default:
		return token, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = b.Token() // the closing bracket
	return value, err
}

func (b jsonBody) object(at *place, depth int) (map[string]any, error) {
	object := map[string]any{}
	for b.More() {
		key, fault, err := b.next()
		if err != nil {
			return nil, err
		}
		name := key.(string)
		if fault != "" {
			return nil, ipam.Invalid(at.pointer(), "the key %q: %s", name, fault)
		}
		inside := &place{at, name}
		if _, twice := object[name]; twice {
			return nil, ipam.Invalid(inside.pointer(), "the key %q is given twice; give it once", name)
		}
		if object[name], err = b.value(inside, depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer writes a key as a part of a JSON pointer (RFC 6901).
func escapePointer(key string) string { return pointerEscapes.Replace(key) }
