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

// checkJSON refuses what encoding/json would silently make something of: a key given twice (the last would win), bytes that
// are not text, anything behind the value, and nesting beyond reason.
func checkJSON(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !utf8.Valid(body) {
		return ipam.Invalid("", "the body is not UTF-8 text")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := checkValue(d, "", 0); err != nil {
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

func checkValue(d *json.Decoder, at string, depth int) error {
	if depth > maxDepth {
		return ipam.Invalid("", "the body is nested more than %d levels deep", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	if text, ok := token.(string); ok && !isText(text) {
		return ipam.Invalid(at, "the character U+0000 cannot be stored")
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name := key.(string)
			pointer := at + "/" + escapePointer(name)
			if !isText(name) {
				return ipam.Invalid(at, "the key %q has the character U+0000, which cannot be stored", name)
			}
			if seen[name] {
				return ipam.Invalid(pointer, "the key %q is given twice; give it once", name)
			}
			seen[name] = true
			if err := checkValue(d, pointer, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := checkValue(d, at+"/"+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing bracket
	return err
}

// escapePointer writes a key as a part of a JSON pointer (RFC 6901).
func escapePointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
