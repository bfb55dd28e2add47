package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// maxDepth bounds the nesting of a body; the contract itself needs two levels.
const maxDepth = 32

// parseJSON reads a body, nil for an empty one, and refuses what encoding/json would silently make something of: a key given
// twice (the last would win), bytes that are not text, anything behind the value, and nesting beyond reason.
func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, ipam.Invalid("", "the body is not UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := parseValue(d, nil, 0)
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

func parseValue(d *json.Decoder, at *place, depth int) (any, error) {
	if depth > maxDepth {
		return nil, ipam.Invalid("", "the body is nested more than %d levels deep", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if text, ok := token.(string); ok && !isText(text) {
		return nil, ipam.Invalid(at.pointer(), "the character U+0000 cannot be stored")
	}
	var value any
	switch token {
	case json.Delim('{'):
		value, err = parseObject(d, at, depth)
	case json.Delim('['):
		list := []any{}
		for i := 0; d.More(); i++ {
			item, err := parseValue(d, &place{at, strconv.Itoa(i)}, depth+1)
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
	_, err = d.Token() // the closing bracket
	return value, err
}

func parseObject(d *json.Decoder, at *place, depth int) (map[string]any, error) {
	object := map[string]any{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string)
		if !isText(name) {
			return nil, ipam.Invalid(at.pointer(), "the key %q has the character U+0000, which cannot be stored", name)
		}
		inside := &place{at, name}
		if _, twice := object[name]; twice {
			return nil, ipam.Invalid(inside.pointer(), "the key %q is given twice; give it once", name)
		}
		if object[name], err = parseValue(d, inside, depth+1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer writes a key as a part of a JSON pointer (RFC 6901).
func escapePointer(key string) string { return pointerEscapes.Replace(key) }
