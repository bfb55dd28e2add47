package registry_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func dumpOf(t *testing.T, url string) []byte {
	t.Helper()
	var text bytes.Buffer
	if _, err := store.Dump(t.Context(), url, &text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// Something of all that there is goes from each engine to each, and is the same there, to the byte.
func TestADatabaseMovesFromAnyEngineToAnyAsItIs(t *testing.T) {
	engines := storetest.Engines(t)
	for from, url := range engines {
		at, now := url(t), clock
		r := planner{lab: setUp(t, labOn(storetest.Open(t, at), at, func() time.Time { return now })), now: &now}
		r.fill(t)
		was := dumpOf(t, at)
		for to, other := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				there := other(t)
				done, err := store.Load(t.Context(), there, bytes.NewReader(was))
				if err != nil {
					t.Fatal(err)
				}
				if is := dumpOf(t, there); !bytes.Equal(was, is) {
					t.Fatalf("what was loaded is another:\n%s", firstDifference(was, is))
				}
				if done.Rows < 200 || done.Tables < 22 {
					t.Errorf("only %d rows of %d tables moved", done.Rows, done.Tables)
				}
				// It goes on there: what is taken stays taken, and the chains of events go on.
				l := labOn(storetest.Open(t, there), there, func() time.Time { return now })
				l.wantSound(t)
				l.take(t, l.root(t, "10.0.0.0/8"), "on", "/24")
				l.wantSound(t)
			})
		}
	}
}

// A file that is not as it was written is refused as a whole, wherever it is wrong.
func TestADumpThatIsNotWholeLoadsNothing(t *testing.T) {
	engines := storetest.Engines(t)
	for from, url := range engines {
		at, now := url(t), clock
		r := planner{lab: setUp(t, labOn(storetest.Open(t, at), at, func() time.Time { return now })), now: &now}
		r.fill(t)
		was := dumpOf(t, at)
		lines := bytes.SplitAfter(was, []byte("\n"))
		there := engines[from](t)
		empty := dumpOf(t, there)
		for what, wrong := range map[string]struct {
			file []byte
			says string
		}{
			"nothing":        {nil, "it was cut short"},
			"a line less":    {bytes.Join(lines[:len(lines)-2], nil), "it was cut short"},
			"cut in a line":  {was[:len(was)/2], ""},
			"a row less":     {bytes.Join(slices.Delete(slices.Clone(lines), len(lines)/2, len(lines)/2+1), nil), ""},
			"another figure": {bytes.Replace(was, []byte("10.0.0.0/16"), []byte("10.9.0.0/16"), 1), ""},
			"twice":          {append(bytes.Clone(was), was...), "two dumps"},
			"a later schema": {bytes.Replace(was, []byte(`"schema":`), []byte(`"schema":9`), 1), "with the same version of CloudPAM"},
			"something else": {[]byte("PK\x03\x04\n"), "line 1 is not one of a dump"},
			"other JSON":     {[]byte("{}\n"), "this is no dump"},
		} {
			if _, err := store.Load(t.Context(), there, bytes.NewReader(wrong.file)); err == nil || !strings.Contains(err.Error(), wrong.says) {
				t.Errorf("%s, %s: want a refusal that says %q: %v", from, what, wrong.says, err)
			}
			if is := dumpOf(t, there); !bytes.Equal(is, empty) {
				t.Fatalf("%s, %s: something was loaded:\n%s", from, what, firstDifference(empty, is))
			}
		}
		if _, err := store.Load(t.Context(), there, bytes.NewReader(was)); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(t.Context(), there, bytes.NewReader(was)); err == nil || !strings.Contains(err.Error(), "the database has been used") {
			t.Errorf("%s: a second load into one database: %v", from, err)
		}
	}
}

func firstDifference(a, b []byte) string {
	one, two := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(one), len(two)) {
		if one[i] != two[i] {
			return one[i] + "\n" + two[i]
		}
	}
	return "one is longer"
}
