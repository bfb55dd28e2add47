package gcpfake

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

type network struct {
	Kind        string   `json:"kind"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Auto        bool     `json:"autoCreateSubnetworks"`
	SelfLink    string   `json:"selfLink"`
	Subnetworks []string `json:"subnetworks,omitempty"`
	Six         string   `json:"internalIpv6Range,omitempty"`
	MTU         int      `json:"mtu"`
	Routing     routing  `json:"routingConfig"`
	Created     string   `json:"creationTimestamp"`
	project     string
}

type routing struct {
	Mode string `json:"routingMode"`
}

type secondary struct {
	Name string `json:"rangeName"`
	CIDR string `json:"ipCidrRange"`
}

type subnetwork struct {
	Kind          string      `json:"kind"`
	ID            string      `json:"id"`
	Name          string      `json:"name"`
	Description   string      `json:"description,omitempty"`
	Network       string      `json:"network"`
	CIDR          string      `json:"ipCidrRange,omitempty"`
	Gateway       string      `json:"gatewayAddress,omitempty"`
	Region        string      `json:"region"`
	SelfLink      string      `json:"selfLink"`
	Fingerprint   string      `json:"fingerprint"`
	Secondary     []secondary `json:"secondaryIpRanges,omitempty"`
	Six           string      `json:"ipv6CidrRange,omitempty"`
	Stack         string      `json:"stackType,omitempty"`
	Purpose       string      `json:"purpose"`
	Private       bool        `json:"privateIpGoogleAccess"`
	Created       string      `json:"creationTimestamp"`
	project       string
	region        string
	busy          bool
	hidden, ghost int
	gone          bool
}

// blocks are all IPv4 ranges of a subnetwork: primary and secondary ones share one space.
func (s *subnetwork) blocks() (all []netip.Prefix) {
	if p, err := netip.ParsePrefix(s.CIDR); err == nil {
		all = append(all, p)
	}
	for _, r := range s.Secondary {
		if p, err := netip.ParsePrefix(r.CIDR); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// shows reports whether this listing shows the subnetwork.
func (s *subnetwork) shows() bool {
	switch {
	case s.hidden > 0:
		s.hidden--
		return false
	case s.gone && s.ghost > 0:
		s.ghost--
		return true
	}
	return !s.gone
}

type operation struct {
	Kind   string          `json:"kind"`
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Status string          `json:"status"`
	Type   string          `json:"operationType"`
	Target string          `json:"targetLink"`
	Region string          `json:"region,omitempty"`
	Link   string          `json:"selfLink"`
	Error  *operationError `json:"error,omitempty"`
	Code   int             `json:"httpErrorStatusCode,omitempty"`
}

type operationError struct {
	Errors []map[string]string `json:"errors"`
}

// start begins an operation that is done when somebody looks again.
func (c *Cloud) start(in *call, kind, target string) *operation {
	at := []string{"projects", in.project, "global"}
	o := &operation{Kind: "compute#operation", ID: c.id(), Status: "RUNNING", Type: kind, Target: target}
	if in.region != "" {
		at = []string{"projects", in.project, "regions", in.region}
		o.Region = link(at...)
	}
	o.Name = "operation-" + o.ID
	o.Link = link(append(at, "operations", o.Name)...)
	c.operations[o.Name] = o
	if id := in.URL.Query().Get("requestId"); id != "" {
		c.requests[id] = o
	}
	copied := *o
	return &copied
}

// before is the operation that a request with the same id started.
func (c *Cloud) before(in *call) (*operation, bool) {
	o, known := c.requests[in.URL.Query().Get("requestId")]
	return o, known
}

func (c *Cloud) getOperation(in *call) (any, error) {
	o := c.operations[in.name]
	if o == nil {
		return nil, notFound(in.name)
	}
	o.Status = "DONE"
	return *o, nil
}

func (c *Cloud) waitOperation(in *call) (any, error) { return c.getOperation(in) }

var nameForm = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (c *Cloud) network(project, name string) (*network, error) {
	for _, n := range c.networks {
		if n.project == project && n.Name == name {
			return n, nil
		}
	}
	return nil, notFound("projects/" + project + "/global/networks/" + name)
}

func (c *Cloud) listNetworks(in *call) (any, error) {
	var all []*network
	for _, n := range c.networks {
		if n.project == in.project {
			all = append(all, n)
		}
	}
	page, next, err := list(c, in, all)
	return listing("networkList", page, next), err
}

func (c *Cloud) getNetwork(in *call) (any, error) { return c.network(in.project, in.name) }

func (c *Cloud) insertNetwork(in *call) (any, error) {
	n := &network{Auto: true}
	if err := json.Unmarshal(in.body, n); err != nil || !nameForm.MatchString(n.Name) {
		return nil, invalid("Invalid value for field 'resource.name': '%s'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'", n.Name)
	}
	if _, err := c.network(in.project, n.Name); err == nil {
		return nil, refusal{409, "alreadyExists", "The resource 'projects/" + in.project + "/global/networks/" + n.Name + "' already exists"}
	}
	c.addNetwork(in.project, n)
	return c.start(in, "insert", n.SelfLink), nil
}

func (c *Cloud) addNetwork(project string, n *network) {
	n.Kind, n.ID, n.project, n.SelfLink, n.Created = "compute#network", c.id(), project, link("projects", project, "global", "networks", n.Name), now()
	if n.MTU == 0 {
		n.MTU = 1460
	}
	if n.Routing.Mode == "" {
		n.Routing.Mode = "REGIONAL"
	}
	c.networks = append(c.networks, n)
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func (c *Cloud) patchNetwork(in *call) (any, error) {
	n, err := c.network(in.project, in.name)
	if err != nil {
		return nil, err
	}
	var patch struct {
		Routing *routing `json:"routingConfig"`
		MTU     *int     `json:"mtu"`
	}
	if err := json.Unmarshal(in.body, &patch); err != nil {
		return nil, invalid("%v", err)
	}
	if patch.Routing != nil {
		n.Routing = *patch.Routing
	}
	if patch.MTU != nil {
		n.MTU = *patch.MTU
	}
	return c.start(in, "patch", n.SelfLink), nil
}

func (c *Cloud) deleteNetwork(in *call) (any, error) {
	n, err := c.network(in.project, in.name)
	if err != nil {
		return nil, err
	}
	for _, s := range c.subnets {
		if s.Network == n.SelfLink && !s.gone {
			return nil, inUse(n.SelfLink, s.SelfLink)
		}
	}
	c.networks = slices.DeleteFunc(c.networks, func(other *network) bool { return other == n })
	return c.start(in, "delete", n.SelfLink), nil
}

func inUse(what, by string) error {
	return refusal{400, "resourceInUseByAnotherResource", "The resource '" + what + "' is already being used by '" + by + "'"}
}

// conflict refuses a block that overlaps another one of the network, a subnetwork aside.
func (c *Cloud) conflict(of string, block netip.Prefix, but *subnetwork) error {
	for _, s := range c.subnets {
		if s == but || s.gone || s.Network != of {
			continue
		}
		if slices.ContainsFunc(s.blocks(), block.Overlaps) {
			return invalid("Invalid value for field 'resource.ipCidrRange': '%s'. Invalid IPCidrRange: %s conflicts with existing subnetwork '%s' in region '%s'.", block, block, s.Name, s.region)
		}
	}
	return nil
}

// range4 reads an IPv4 range, which has no host bits and at most 29 of the others.
func range4(field, text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() || p != p.Masked() || p.Bits() > 29 {
		return p, invalid("Invalid value for field '%s': '%s'. Must be a CIDR address range that is contained in the RFC1918 private address blocks or others that are valid, of at least /29.", field, text)
	}
	return p, nil
}

func (c *Cloud) subnetwork(in *call, name string) (*subnetwork, error) {
	for _, s := range c.subnets {
		if s.project == in.project && s.region == in.region && s.Name == name && !s.gone {
			return s, nil
		}
	}
	return nil, notFound("projects/" + in.project + "/regions/" + in.region + "/subnetworks/" + name)
}

func (c *Cloud) getSubnetwork(in *call) (any, error) { return c.subnetwork(in, in.name) }

func (c *Cloud) insertSubnetwork(in *call) (any, error) {
	if c.policy != nil && !c.policy["compute.networks.updatePolicy"] {
		return nil, denied(in, "compute.networks.updatePolicy")
	}
	if o, again := c.before(in); again {
		return *o, nil
	}
	s := &subnetwork{}
	if err := json.Unmarshal(in.body, s); err != nil {
		return nil, invalid("%v", err)
	}
	parts := strings.Split(s.Network, "/projects/")
	path := strings.Split(strings.TrimPrefix(parts[len(parts)-1], "projects/"), "/")
	if len(path) != 4 || !slices.Contains(c.regions, in.region) {
		return nil, invalid("Invalid value for field 'resource.network': '%s'. The URL is malformed.", s.Network)
	}
	n, err := c.network(path[0], path[3])
	if err != nil {
		return nil, err
	}
	if !nameForm.MatchString(s.Name) {
		return nil, invalid("Invalid value for field 'resource.name': '%s'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'", s.Name)
	}
	if other, err := c.subnetwork(in, s.Name); err == nil {
		return nil, refusal{409, "alreadyExists", "The resource '" + other.SelfLink + "' already exists"}
	}
	s.Network = n.SelfLink
	for i, text := range append([]string{s.CIDR}, ranges(s.Secondary)...) {
		field := "resource.ipCidrRange"
		if i > 0 {
			field = "resource.secondaryIpRanges"
		}
		p, err := range4(field, text)
		if err == nil {
			err = c.conflict(s.Network, p, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	if in.kind == fault.StripMark {
		s.Description = ""
	}
	c.addSubnetwork(in.project, in.region, s)
	return c.start(in, "insert", s.SelfLink), nil
}

func ranges(all []secondary) (texts []string) {
	for _, r := range all {
		texts = append(texts, r.CIDR)
	}
	return texts
}

func (c *Cloud) addSubnetwork(project, region string, s *subnetwork) {
	s.Kind, s.ID, s.project, s.region, s.Created = "compute#subnetwork", c.id(), project, region, now()
	s.Region, s.SelfLink = link("projects", project, "regions", region), link("projects", project, "regions", region, "subnetworks", s.Name)
	s.hidden, s.Fingerprint = c.lag, "fp"+c.id()
	if s.Purpose == "" {
		s.Purpose = "PRIVATE"
	}
	if s.Stack == "" {
		s.Stack = "IPV4_ONLY"
	}
	if p, err := netip.ParsePrefix(s.CIDR); err == nil {
		s.Gateway = p.Addr().Next().String()
	}
	c.subnets = append(c.subnets, s)
}
