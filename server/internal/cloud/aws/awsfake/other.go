package awsfake

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// STS, Organizations and IPAM.

func (c *Cloud) getCallerIdentity(in *call) (any, error) {
	return members{element{"Arn", "arn:aws:sts::" + in.account + ":assumed-role/cloudpam/cloudpam"}, element{"UserId", "AROA"}, element{"Account", in.account}}, nil
}

var roleARN = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):role/(.+)$`)

func (c *Cloud) assumeRole(in *call) (any, error) {
	role := roleARN.FindStringSubmatch(in.form["RoleArn"])
	if role == nil {
		return nil, refuse("ValidationError", "%s is invalid", in.form["RoleArn"])
	}
	if _, known := c.accounts[role[1]]; !known || c.ExternalID != "" && in.form["ExternalId"] != c.ExternalID {
		return nil, refusal{403, "AccessDenied", "User: arn:aws:iam::" + in.account + ":user/cloudpam is not authorized to perform: sts:AssumeRole on resource: " + in.form["RoleArn"]}
	}
	type credentials struct {
		Key     string `xml:"AccessKeyId"`
		Secret  string `xml:"SecretAccessKey"`
		Token   string `xml:"SessionToken"`
		Expires string `xml:"Expiration"`
	}
	return element{"Credentials", credentials{"ASIA" + role[1], "secret", "token", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}}, nil
}

func (c *Cloud) listAccounts(in *call) (any, error) {
	type account struct{ Id, Name, Status, State string } // as on the wire
	var ids []string
	for id := range c.accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var asked struct {
		MaxResults int
		NextToken  string
	}
	if err := json.Unmarshal(in.body, &asked); err != nil {
		return nil, refuse("InvalidInputException", "%v", err)
	}
	size := 20
	if asked.MaxResults > 0 {
		size = min(size, asked.MaxResults)
	}
	at, _ := slices.BinarySearch(ids, asked.NextToken)
	out := map[string]any{}
	var page []account
	for _, id := range ids[at:min(at+size, len(ids))] {
		status := "ACTIVE"
		if strings.HasPrefix(c.accounts[id], "suspended") {
			status = "SUSPENDED"
		}
		page = append(page, account{id, c.accounts[id], status, status})
	}
	out["Accounts"] = page
	if at+size < len(ids) {
		out["NextToken"] = ids[at+size]
	}
	return out, nil
}

// ipamPool is a pool of AWS's own IPAM.
type ipamPool struct {
	id, account, region, locale string
	cidr                        netip.Prefix
	allocations                 []ipamAllocation
}

type ipamAllocation struct {
	ID          string `xml:"ipamPoolAllocationId"`
	CIDR        string `xml:"cidr"`
	Description string `xml:"description,omitempty"`
	Type        string `xml:"resourceType"`
	Resource    string `xml:"resourceId,omitempty"`
	Region      string `xml:"resourceRegion,omitempty"`
	Owner       string `xml:"resourceOwner,omitempty"`
}

func (c *Cloud) describeIpamPools(in *call) (any, error) {
	type item struct {
		ID     string `xml:"ipamPoolId"`
		Owner  string `xml:"ownerId"`
		Region string `xml:"ipamRegion"`
		Locale string `xml:"locale"`
		State  string `xml:"state"`
	}
	var all []item
	for _, p := range c.pools {
		if p.account == in.account && p.region == in.region {
			all = append(all, item{p.id, p.account, p.region, p.locale, "create-complete"})
		}
	}
	page, next, err := list(c, in, all)
	return listed("ipamPoolSet", set[item]{page}, next), err
}

func (c *Cloud) pool(in *call) (*ipamPool, error) {
	for _, p := range c.pools {
		if p.id == in.form["IpamPoolId"] && p.account == in.account && p.region == in.region {
			return p, nil
		}
	}
	return nil, refuse("InvalidIpamPoolId.NotFound", "The ipam pool ID '%s' does not exist", in.form["IpamPoolId"])
}

func (c *Cloud) getIpamPoolCidrs(in *call) (any, error) {
	type item struct {
		CIDR  string `xml:"cidr"`
		State string `xml:"state"`
	}
	p, err := c.pool(in)
	if err != nil {
		return nil, err
	}
	page, next, err := list(c, in, []item{{p.cidr.String(), "provisioned"}})
	return listed("ipamPoolCidrSet", set[item]{page}, next), err
}

func (c *Cloud) getIpamPoolAllocations(in *call) (any, error) {
	p, err := c.pool(in)
	if err != nil {
		return nil, err
	}
	page, next, err := list(c, in, p.allocations)
	return listed("ipamPoolAllocationSet", set[ipamAllocation]{page}, next), err
}
