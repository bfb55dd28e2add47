package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	cloudpam "github.com/cloudpam/cloudpam/client"
	"github.com/cloudpam/cloudpam/server/internal/remote"
)

// asks is what each command takes that asks a server over its API, as whoever the token is of.
type asks struct {
	remote.Config `embed:""`
	JSON          bool `name:"json" help:"Write the server's answer, for scripts."`
}

func (a *asks) open() (*cloudpam.Client, error) {
	c, err := a.Open()
	if err != nil {
		return nil, usage(err)
	}
	return c, nil
}

// show writes an answer: as the server gave it to scripts, and as a table to people, with what is said below it.
func (a *asks) show(answer any, heads []string, rows [][]string, below string) error {
	if a.JSON {
		return printJSON(os.Stdout, answer)
	}
	if len(rows) > 0 {
		table(os.Stdout, width(os.Stdout), heads, rows)
	}
	if len(rows) > 0 && below != "" {
		fmt.Println()
	}
	if below != "" {
		fmt.Println(below)
	}
	return nil
}

// explain is an error as people read it at a terminal: once, and with what to do next.
func explain(err error) string {
	var refusal *cloudpam.Error
	var away *cloudpam.UnreachableError
	switch {
	case errors.As(err, &away):
		return err.Error() + "; is CLOUDPAM_ENDPOINT right? Without it the server is that of cloudpam login"
	case !errors.As(err, &refusal):
		return err.Error()
	case refusal.Code == cloudpam.ErrUnexpected:
		return refusal.Detail + "; is CLOUDPAM_ENDPOINT right? Without it the server is that of cloudpam login"
	}
	said := []string{cmp.Or(refusal.Detail, refusal.Title)}
	for _, f := range refusal.Errors {
		said = append(said, f.Detail)
	}
	for _, h := range refusal.Holders {
		if !strings.Contains(refusal.Detail, h.CIDR) {
			said = append(said, fmt.Sprintf("held by %s %s (%s)", h.Kind, h.Name, h.CIDR))
		}
	}
	if refusal.Code == cloudpam.ErrUnauthenticated {
		said = append(said, "is CLOUDPAM_TOKEN right, or the token of cloudpam login?")
	}
	return fmt.Sprintf("%s [%s]", strings.Join(slices.Compact(said), "; "), string(refusal.Code))
}

// given is a word of the command line as the API takes it: absent where it is empty.
func given[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}

// value is a word of an answer, empty where it is absent.
func value[T ~string](text *T) string {
	if text == nil {
		return ""
	}
	return string(*text)
}

// labels are those of the command line, absent where none is given.
func labels(of map[string]string) *cloudpam.Labels {
	if len(of) == 0 {
		return nil
	}
	l := cloudpam.Labels(of)
	return &l
}

// listed is a list that is never null in JSON.
func listed[T any](all []T, err error) ([]T, error) {
	if all == nil {
		all = []T{}
	}
	return all, err
}

// count says how many things there are, in words.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
