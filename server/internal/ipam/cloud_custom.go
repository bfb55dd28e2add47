package ipam

import "regexp"

// Custom is any other place with networks: a data centre, an office, a smaller provider.
const Custom Cloud = "custom"

var customFacts = CloudFacts{
	Cloud: Custom,
	Account: Form{
		regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`),
		"an id; use 1 to 63 letters, digits and . _ -, with a letter or digit at both ends",
	},
}
