package gcpfake

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

func (c *Cloud) listSubnetworks(in *call) (any, error) {
	var all []*subnetwork
	for _, s := range c.subnets {
		if s.project == in.project && s.region == in.region && (in.page > 1 || s.shows()) {
			all = append(all, s)
		}
	}
	page, next, err := list(c, in, all)
	return listing("subnetworkList", page, next), err
}

// aggregatedSubnetworks lists all regions, those without any with a warning instead.
func (c *Cloud) aggregatedSubnetworks(in *call) (any, error) {
	var all []*subnetwork
	for _, s := range c.subnets {
		if s.project == in.project && !c.unreachable[s.region] && (in.page > 1 || s.shows()) {
			all = append(all, s)
		}
	}
	page, next, err := list(c, in, all)
	items := map[string]any{}
	for _, r := range c.regions {
		scope := "regions/" + r
		here := slices.DeleteFunc(slices.Clone(page), func(s *subnetwork) bool { return s.region != r })
		if len(here) > 0 {
			items[scope] = map[string]any{"subnetworks": here}
			continue
		}
		items[scope] = map[string]any{"warning": map[string]any{
			"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope '" + scope + "' on this page.", "data": []any{map[string]string{"key": "scope", "value": scope}},
		}}
	}
	out := listing("subnetworkAggregatedList", items, next)
	var unreachable []string
	for _, r := range slices.Sorted(maps.Keys(c.unreachable)) {
		unreachable = append(unreachable, "projects/"+in.project+"/regions/"+r)
	}
	if len(unreachable) > 0 {
		out["unreachables"] = unreachable
	}
	return out, err
}

func (c *Cloud) patchSubnetwork(in *call) (any, error) {
	s, err := c.subnetwork(in, in.name)
	if err != nil {
		return nil, err
	}
	var patch struct {
		Fingerprint *string      `json:"fingerprint"`
		Description *string      `json:"description"`
		Secondary   *[]secondary `json:"secondaryIpRanges"`
		Private     *bool        `json:"privateIpGoogleAccess"`
	}
	if err := json.Unmarshal(in.body, &patch); err != nil {
		return nil, invalid("%v", err)
	}
	switch {
	case patch.Fingerprint == nil || *patch.Fingerprint != s.Fingerprint:
		return nil, refusal{412, "conditionNotMet", "Invalid fingerprint."}
	case patch.Description != nil && *patch.Description != s.Description:
		return nil, invalid("Invalid value for field 'resource.description': '%s'. Cannot change it once the resource is made.", *patch.Description)
	}
	if patch.Secondary != nil {
		for _, r := range *patch.Secondary {
			p, err := range4("resource.secondaryIpRanges", r.CIDR)
			if err == nil {
				err = c.conflict(s.Network, p, s)
			}
			if err != nil {
				return nil, err
			}
		}
		s.Secondary = *patch.Secondary
	}
	if patch.Private != nil {
		s.Private = *patch.Private
	}
	s.Fingerprint = "fp" + c.id()
	return c.start(in, "patch", s.SelfLink), nil
}

func (c *Cloud) expandSubnetwork(in *call) (any, error) {
	s, err := c.subnetwork(in, in.name)
	if err != nil {
		return nil, err
	}
	if o, again := c.before(in); again {
		return *o, nil
	}
	var to struct {
		CIDR string `json:"ipCidrRange"`
	}
	if err := json.Unmarshal(in.body, &to); err != nil {
		return nil, invalid("%v", err)
	}
	p, err := range4("ipCidrRange", to.CIDR)
	if err != nil {
		return nil, err
	}
	from := netip.MustParsePrefix(s.CIDR)
	if p.Bits() >= from.Bits() || !p.Contains(from.Addr()) {
		return nil, invalid("Invalid value for field 'ipCidrRange': '%s'. New IP range must be a superset of the old one, and larger.", p)
	}
	if err := c.conflict(s.Network, p, s); err != nil {
		return nil, err
	}
	s.CIDR, s.Fingerprint = p.String(), "fp"+c.id()
	return c.start(in, "expandIpCidrRange", s.SelfLink), nil
}

func (c *Cloud) deleteSubnetwork(in *call) (any, error) {
	if o, again := c.before(in); again {
		return *o, nil
	}
	s, err := c.subnetwork(in, in.name)
	if err != nil {
		return nil, err
	}
	if s.busy {
		return nil, inUse(s.SelfLink, "an instance")
	}
	s.gone, s.ghost = true, c.lag
	c.deleted = append(c.deleted, s.SelfLink)
	return c.start(in, "delete", s.SelfLink), nil
}

// Beside Compute.

type internalRange struct {
	Name    string   `json:"name"`
	CIDR    string   `json:"ipCidrRange"`
	Network string   `json:"network"`
	Usage   string   `json:"usage"`
	Peering string   `json:"peering"`
	Users   []string `json:"users,omitempty"`
	project string
}

func (c *Cloud) listInternalRanges(in *call) (any, error) {
	var all []internalRange
	for _, r := range c.ranges {
		if r.project == in.project {
			all = append(all, r)
		}
	}
	page, next, err := list(c, in, all)
	return map[string]any{"internalRanges": page, "nextPageToken": next}, err
}

func (c *Cloud) listProjects(in *call) (any, error) {
	parent := in.URL.Query().Get("parent")
	var all []map[string]string
	for _, id := range slices.Sorted(maps.Keys(c.projects)) {
		if c.projects[id] == parent {
			all = append(all, map[string]string{"name": "projects/1", "projectId": id, "displayName": strings.ToUpper(id), "state": "ACTIVE", "parent": parent})
		}
	}
	page, next, err := list(c, in, all)
	return map[string]any{"projects": page, "nextPageToken": next}, err
}

func (c *Cloud) listFolders(in *call) (any, error) {
	parent := in.URL.Query().Get("parent")
	var all []map[string]string
	for _, id := range slices.Sorted(maps.Keys(c.folders)) {
		if c.folders[id] == parent {
			all = append(all, map[string]string{"name": id, "parent": parent, "state": "ACTIVE"})
		}
	}
	page, next, err := list(c, in, all)
	return map[string]any{"folders": page, "nextPageToken": next}, err
}

func (c *Cloud) accessToken(in *call) (any, error) {
	account, does := strings.CutSuffix(in.name, ":generateAccessToken")
	if !does {
		return nil, notFound(in.name)
	}
	return map[string]string{"accessToken": "token-of-" + account, "expireTime": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, nil
}
