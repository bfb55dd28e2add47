package issuer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// MaxToken is the longest token that is read, in bytes.
const MaxToken = 8 << 10

// token is what a JWT says, before anybody has looked at its signature.
type token struct {
	alg, kid string
	claims   Claims
}

// headers are what a JWT may say of itself. Others name keys or other ways to read it, and a token does not choose those.
var headers = []string{"alg", "kid", "typ", "x5t", "x5t#S256"}

// registered are the claims that are read. Nothing that only looks like one may be there: two readers could differ about it.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat"}

// read reads a JWT strictly. What it says in errors is about the token, and never part of it.
func read(raw string) (t token, err error) {
	if len(raw) > MaxToken {
		return t, fmt.Errorf("it has more than %d bytes", MaxToken)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return t, errors.New("it does not have a header, claims and a signature")
	}
	header, err := object(parts[0])
	if err != nil {
		return t, fmt.Errorf("its header %w", err)
	}
	if t.claims, err = object(parts[1]); err != nil {
		return t, fmt.Errorf("its claims %w", err)
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return t, errors.New("its signature is not base64url")
	}
	for name, value := range header {
		if text, is := value.(string); !slices.Contains(headers, name) || !is || len(text) > 512 {
			return t, errors.New("its header has more than alg, kid and typ")
		}
	}
	t.alg, _ = header["alg"].(string)
	t.kid, _ = header["kid"].(string)
	if typ, _ := header["typ"].(string); typ != "" && !strings.EqualFold(typ, "JWT") && !strings.EqualFold(typ, "at+jwt") {
		return t, errors.New("its typ is not JWT")
	}
	for name := range t.claims {
		for _, r := range registered {
			if name != r && strings.EqualFold(name, r) {
				return t, fmt.Errorf("it has a claim that only looks like %s", r)
			}
		}
	}
	return t, nil
}

// object reads a part that is one JSON object, in which no name comes twice.
func object(part string) (map[string]any, error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errors.New("is not base64url")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	value, err := one(d, 0)
	if err != nil {
		return nil, errors.New("is not JSON, or has a name twice")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has something behind it")
	}
	object, is := value.(map[string]any)
	if !is {
		return nil, errors.New("is no object")
	}
	return object, nil
}

const maxDepth = 16

// one reads a value that follows.
func one(d *json.Decoder, depth int) (any, error) {
	next, err := d.Token()
	if err != nil || depth > maxDepth {
		return nil, errors.Join(err, errDeep(depth))
	}
	switch next {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			text, _ := name.(string)
			if _, twice := object[text]; twice {
				return nil, errors.New("a name comes twice")
			}
			if object[text], err = one(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := one(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return next, nil
}

func errDeep(depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	return nil
}

// text is a claim that is a text; "" where it is not.
func (c Claims) text(name string) string {
	text, _ := c[name].(string)
	return text
}

// audience are those that a token is for.
func (c Claims) audience() []string {
	if text, is := c["aud"].(string); is {
		return []string{text}
	}
	return c.texts("aud")
}

// moment is a claim that is a time, in seconds since 1970; false where it is absent, an error where it is something else.
func (c Claims) moment(name string) (at time.Time, there bool, err error) {
	value, there := c[name]
	if !there {
		return at, false, nil
	}
	number, is := value.(json.Number)
	seconds, err := number.Float64()
	if !is || err != nil || seconds < 0 || seconds > 253402300799 {
		return at, true, fmt.Errorf("its %s is no time", name)
	}
	return time.Unix(int64(seconds), 0).UTC(), true, nil
}
