package cloudpam

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// A new operation in the contract shall not be forgotten here: every generated request has a method by hand.
func TestEveryOperationOfTheContractHasAMethod(t *testing.T) {
	byHand := reflect.TypeFor[*Client]()
	operations := reflect.TypeFor[ClientInterface]()
	if operations.NumMethod() < 20 {
		t.Fatalf("found only %d operations", operations.NumMethod())
	}
	for i := range operations.NumMethod() {
		name := strings.TrimSuffix(operations.Method(i).Name, "WithBody")
		if _, ok := byHand.MethodByName(name); !ok {
			t.Errorf("the contract's operation %s has no method on Client", name)
		}
	}
}

func TestEveryCodeOfTheContractIsAnError(t *testing.T) {
	contract, err := os.ReadFile(filepath.Join("..", "server", "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("error.go")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`Stable\. One of ([a-z_, ]+)\.`).FindSubmatch(contract)
	if list == nil {
		t.Fatal("the contract does not list its codes")
	}
	for code := range strings.SplitSeq(string(list[1]), ", ") {
		if !strings.Contains(string(source), `Code = "`+code+`"`) {
			t.Errorf("the contract's code %s has no constant", code)
		}
	}
}
