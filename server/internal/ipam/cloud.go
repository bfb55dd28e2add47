package ipam

import (
	"regexp"
	"slices"
	"strings"
)

// Cloud is where an account lives.
type Cloud string

// CloudFacts registers a cloud: all that may be known of it by its name stands here, and nobody else asks for names. One file
// of this package registers one cloud; how to speak to it is a folder of internal/cloud.
type CloudFacts struct {
	Cloud   Cloud
	Account Form         // the cloud's own id of an account; none where accounts of it are not kept yet
	Role    *RoleFacts   // who to act as in an account; nil: nobody else
	Targets []SizeLimits // what a block may become there

	Terraform *TerraformFacts // how Terraform writes what is there; nil: it does not
}

func (c CloudFacts) hasAccounts() bool { return c.Account.Regexp != nil }

// Form is how a text has to look, and what to tell somebody whose text does not.
type Form struct {
	Regexp *regexp.Regexp
	Is     string // what it is and looks like, after "... is not"
}

// RoleFacts is how an account names who CloudPAM acts as.
type RoleFacts struct {
	Pointer string // the field that names it
	Form
	// Account is the group of the form that must be the id of the account; 0: none.
	Account int
}

// clouds are the registered ones, in the order in which they are listed.
var clouds = []CloudFacts{awsFacts, gcpFacts, azureFacts, customFacts}

// Clouds are the facts of every cloud that CloudPAM knows.
func Clouds() []CloudFacts { return slices.Clone(clouds) }

// FactsOf are the facts of a cloud; false where nobody knows it.
func FactsOf(c Cloud) (CloudFacts, bool) {
	for _, facts := range clouds {
		if facts.Cloud == c {
			return facts, true
		}
	}
	return CloudFacts{}, false
}

// targets are the targets of all clouds by their names.
var targets = func() map[Target]SizeLimits {
	all := map[Target]SizeLimits{}
	for _, c := range clouds {
		for _, limits := range c.Targets {
			all[limits.Target] = limits
		}
	}
	return all
}()

// cloudNames and targetNames are for refusals: what could have been said.
var (
	cloudNames = oneOf(clouds, func(c CloudFacts) []string {
		if !c.hasAccounts() {
			return nil
		}
		return []string{string(c.Cloud)}
	})
	targetNames = oneOf(clouds, func(c CloudFacts) (names []string) {
		for _, limits := range c.Targets {
			names = append(names, string(limits.Target))
		}
		return names
	})
)

func oneOf[T any](all []T, names func(T) []string) string {
	var each []string
	for _, one := range all {
		each = append(each, names(one)...)
	}
	last := len(each) - 1
	return strings.Join(each[:last], ", ") + " or " + each[last]
}
