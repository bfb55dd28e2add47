package issuer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/issuer"
)

func TestSettingsAreReadAndWhatIsAbsentIsFilledIn(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hush\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := issuer.Parse([]byte(`[
		{"name": "github", "issuer": "https://token.actions.githubusercontent.com", "audience": ["a", "b"], "rules": [{"name": "x", "when": {"repository": "acme/*", "ref": ["refs/heads/main", "refs/tags/**"]}, "role": "operator", "pool": "p"}]},
		{"name": "sso", "issuer": "http://127.0.0.1:4444/", "rules": [{"name": "all", "when": {"sub": "**"}}], "login": {"client_id": "cloudpam", "client_secret_file": "`+secret+`"}}
	]`), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if a := all[0]; a.Kind != "machine" || a.NameClaim != "sub" || len(a.Algorithms) != 1 || a.Algorithms[0] != "RS256" || len(a.Audience) != 2 {
		t.Errorf("%+v", a)
	}
	if a := all[1]; a.Kind != "user" || a.Login.Label != "sso" || a.Login.ClientSecret != "hush" || strings.Join(a.Login.Scopes, " ") != "profile email" {
		t.Errorf("%+v %+v", a, a.Login)
	}
}

func TestWrongSettingsSayWhatWouldBeRight(t *testing.T) {
	const rule = `{"name":"r","when":{"sub":"a"},"role":"viewer"}`
	with := func(more string) string {
		return `[{"name":"x","issuer":"https://x.example","audience":"a",` + more + `}]`
	}
	github := func(when string) string {
		return `[{"name":"github","issuer":"https://token.actions.githubusercontent.com","audience":"a","rules":[{"name":"r","when":` + when + `,"role":"viewer"}]}]`
	}
	const anybody = "vouches for anybody in the world"
	for text, want := range map[string]string{
		`{}`: "it is a JSON list of issuers", `[{"nme":"x"}]`: `unknown field "nme"`, `[][]`: "something follows",
		`[{"name":"X","issuer":"https://x.example","audience":"a","rules":[` + rule + `]}]`:               `the name "X" is none`,
		`[{"name":"x","issuer":"http://x.example","audience":"a","rules":[` + rule + `]}]`:                "is no https:// address",
		`[{"name":"x","issuer":"https://u@x.example","audience":"a","rules":[` + rule + `]}]`:             "is no https:// address",
		`[{"name":"x","issuer":"https://x.example","rules":[` + rule + `]}]`:                              "neither an audience",
		`[{"name":"x","issuer":"https://x.example","audience":"a"}]`:                                      "it has 0 rules",
		with(`"rules":[` + rule + `],"algorithms":["HS256"]`):                                             `"HS256" is not an algorithm that can be trusted`,
		with(`"rules":[` + rule + `],"algorithms":["none"]`):                                              `"none" is not an algorithm`,
		with(`"rules":[` + rule + `],"kind":"token"`):                                                     "use machine, user or agent",
		with(`"rules":[` + rule + "," + rule + `]`):                                                       "give each a name of its own",
		with(`"rules":[{"name":"r","when":{},"role":"viewer"}]`):                                          "would let in whomever",
		with(`"rules":[{"name":"r","when":{"a":[]},"role":"viewer"}]`):                                    `the claim "a" has no value`,
		with(`"rules":[{"name":"r","when":{"a":"b"},"role":"root"}]`):                                     `"root" is not a role`,
		with(`"rules":[{"name":"r","when":{"a":"b"},"pool":"p"}]`):                                        "it has a place, but no role",
		with(`"rules":[{"name":"r","when":{"a":"b"},"role":"viewer","scope":"s","pool":"p"}]`):            "a pool has its scope already",
		with(`"rules":[` + rule + `],"login":{}`):                                                         "no client_id",
		with(`"rules":[` + rule + `],"login":{"client_id":"c","client_secret_file":"/none"}`):             "client_secret_file: ",
		strings.Replace(with(`"rules":[`+rule+`]`), "}]}]", "}]},"+with(`"rules":[` + rule + `]`)[1:], 1): `another has the name "x"`,
		github(`{"ref":"refs/heads/main"}`):                                                               anybody,
		github(`{"repository":"*/network"}`):                                                              anybody,
		github(`{"repository":["acme/network","**"]}`):                                                    anybody,
		github(`{"sub":"repo:**"}`):                                                                       anybody,
		github(`{"repository_owner":"*"}`):                                                                anybody,
	} {
		_, err := issuer.Parse([]byte(text), func(string) ([]byte, error) { return nil, errors.New("there is no such file") })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v, want %q", text, err, want)
		}
	}
	for _, text := range []string{github(`{"repository":"acme/*"}`), github(`{"sub":"repo:acme/**"}`), github(`{"repository_owner":"acme","ref":"**"}`), github(`{"repository":"/acme/network"}`)} {
		if _, err := issuer.Parse([]byte(text), nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
