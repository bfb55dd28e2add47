package ipam

import (
	"strings"
	"unicode/utf8"
)

// CheckSlug refuses what cannot be the name of a pool or a scope.
func CheckSlug(pointer, name string) error {
	if UID(name).Key() != 0 {
		return Invalid(pointer, "%q reads like the uid of an object; choose another name", name)
	}
	if !slug.MatchString(name) {
		return Invalid(pointer, "%q is not a name; use 1 to 63 lower-case letters, digits, - and _, with a letter or digit at both ends", name)
	}
	return nil
}

// CheckName refuses what cannot be the name of an allocation.
func CheckName(pointer, name string) error {
	if !freeName.MatchString(name) {
		return Invalid(pointer, "%q is not a name; use 1 to 127 letters, digits and . _ - : /, with a letter or digit at both ends", name)
	}
	return nil
}

// CheckFreeName refuses, besides, what the system names its own promises: nobody can take one by its name.
func CheckFreeName(pointer, name string) error {
	for _, reserved := range []string{growth, shrink, leaving, rename, reservation} {
		if strings.HasPrefix(name, reserved) {
			return Invalid(pointer, "names that begin with %q are those of promises; choose another", reserved)
		}
	}
	return CheckName(pointer, name)
}

// CheckLabels refuses labels past their limits: 64 of them, keys of 1 to 128 bytes, values of at most 256.
func CheckLabels(labels Labels) error {
	if len(labels) > 64 {
		return Invalid("/labels", "%d labels are too many; at most 64", len(labels))
	}
	for key, value := range labels {
		switch {
		case key == "" || len(key) > 128 || !utf8.ValidString(key):
			return Invalid("/labels", "a label key has 1 to 128 bytes; %.32q… has %d", key, len(key))
		case len(value) > 256:
			return Invalid("/labels/"+key, "a label value has at most 256 bytes; this one has %d", len(value))
		}
	}
	return nil
}
