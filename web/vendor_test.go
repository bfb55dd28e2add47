package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// vendored is one entry of vendor.json. integrity is the npm registry's checksum of the package the file was taken from.
type vendored struct {
	Package       string `json:"package"`
	Version       string `json:"version"`
	Integrity     string `json:"integrity"`
	Source        string `json:"source"`
	File          string `json:"file"`
	SHA256        string `json:"sha256"`
	Licence       string `json:"licence"`
	LicenceFile   string `json:"licence_file"`
	LicenceSHA256 string `json:"licence_sha256"`
}

func readVendored(t *testing.T) []vendored {
	t.Helper()
	raw, err := os.ReadFile("vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	var entries []vendored
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestVendor(t *testing.T) {
	listed := map[string]bool{}

	t.Run("every vendored file has the checksum and the licence it was taken with", func(t *testing.T) {
		for _, v := range readVendored(t) {
			for file, want := range map[string]string{v.File: v.SHA256, v.LicenceFile: v.LicenceSHA256} {
				listed[file] = true
				content, err := os.ReadFile(file)
				if err != nil {
					t.Error(err)
					continue
				}
				if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
					t.Errorf("%s is not the file of %s %s: its SHA-256 is %x", file, v.Package, v.Version, sum)
				}
			}
			if !strings.Contains(v.File, v.Version) || !strings.HasPrefix(v.Integrity, "sha512-") || v.Licence == "" {
				t.Errorf("%s: the entry is incomplete", v.Package)
			}
		}
	})

	t.Run("nothing else lies among them", func(t *testing.T) {
		for _, dir := range []string{"vendor", "testdata"} {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				if file := path.Join(dir, entry.Name()); !listed[file] {
					t.Errorf("%s is not in vendor.json", file)
				}
			}
		}
	})

	t.Run("what the pages name exists", func(t *testing.T) {
		name := regexp.MustCompile(`vendor/[\w.-]+\.(?:js|css|woff2)`)
		for _, file := range []string{"index.html", "js/alpine.js", "css/tokens.css"} {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := name.FindAllString(string(content), -1)
			if len(found) == 0 {
				t.Errorf("%s names no vendored file", file)
			}
			for _, vendored := range found {
				if !listed[vendored] {
					t.Errorf("%s names %s, which is not in vendor.json", file, vendored)
				}
			}
		}
	})
}
