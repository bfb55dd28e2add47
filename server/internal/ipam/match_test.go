package ipam_test

import (
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

func TestAnETagMatchesWhateverProxiesMakeOfIt(t *testing.T) {
	for header, want := range map[string]ipam.Code{
		`"pool_1.3"`:                     "",
		`W/"pool_1.3"`:                   "",
		`"pool_1.3-gzip"`:                "",
		`"pool_1.3--gzip"`:               "",
		`"pool_1.3;br"`:                  "",
		`W/"pool_1.3-gzip"`:              "",
		`"pool_1.2", "pool_1.3"`:         "",
		`"pool_1.2" , W/"pool_1.3-gzip"`: "",
		`*`:                              "",
		`"pool_1.2"`:                     ipam.CodePreconditionFailed,
		`"pool_2.3"`:                     ipam.CodePreconditionFailed, // another object of the same name
		`"pool_1.33"`:                    ipam.CodePreconditionFailed,
		`pool_1.3`:                       ipam.CodeInvalid,
		`"pool_1.3`:                      ipam.CodeInvalid,
		`""`:                             ipam.CodeInvalid,
		`"pool_1.3",`:                    ipam.CodeInvalid,
		``:                               ipam.CodeInvalid,
		`banana`:                         ipam.CodeInvalid,
	} {
		m, err := ipam.ParseMatch(header)
		if err == nil {
			err = m.Require("pool", "corp", "pool_1.3")
		}
		if ipam.CodeOf(err) != want || (err == nil) != (want == "") {
			t.Errorf("%s: %v, want %q", header, err, want)
		}
	}
	if err := (ipam.Match{}).Check("pool", "corp", "pool_1.3"); err != nil {
		t.Errorf("no header: %v", err)
	}
}
