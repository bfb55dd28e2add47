// Package gcpfake is a double of Google Cloud for tests: Compute v1, and what is asked of Resource Manager, Network Connectivity and
// IAM Credentials, as they are on the wire, so that the real client and the real Terraform provider decode it. It knows what concerns
// address space and refuses what GCP refuses there; tokens are read, not checked.
package gcpfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

// Cloud is all of GCP. It is safe for concurrent use.
type Cloud struct {
	fault.Door

	mu          sync.Mutex
	next        int
	lag         int
	regions     []string
	projects    map[string]string // id to its parent, "folders/1"
	folders     map[string]string // id to its parent
	networks    []*network
	subnets     []*subnetwork
	ranges      []internalRange
	operations  map[string]*operation
	requests    map[string]*operation // by requestId
	unreachable map[string]bool
	pages       map[string]page
	policy      map[string]bool
	deleted     []string
}

// page is what is left behind a token.
type page struct {
	left   []any
	number int
}

// New makes a GCP with these regions and projects.
func New(regions []string, projects ...string) *Cloud {
	c := &Cloud{
		regions: regions, projects: map[string]string{}, folders: map[string]string{}, operations: map[string]*operation{}, requests: map[string]*operation{},
		unreachable: map[string]bool{}, pages: map[string]page{},
	}
	for _, p := range projects {
		c.projects[p] = "folders/1"
	}
	return c
}

// call is one request.
type call struct {
	*http.Request
	project, region, name string
	body                  []byte
	page                  int
	kind                  fault.Kind
}

// refusal is an error as GCP words it.
type refusal struct {
	status          int
	reason, message string
}

func (r refusal) Error() string { return r.message }

func invalid(format string, args ...any) error {
	return refusal{http.StatusBadRequest, "invalid", fmt.Sprintf(format, args...)}
}

func notFound(what string) error {
	return refusal{http.StatusNotFound, "notFound", "The resource '" + what + "' was not found"}
}

// route is a method on a path, with the permission that it takes, which is also its name.
type route struct {
	method, path string // of parts; {project}, {region} and {name} stand for one each
	permission   string
	do           func(*Cloud, *call) (any, error)
}

var routes = []route{
	{"GET", "compute/v1/projects/{project}/regions", "compute.regions.list", (*Cloud).listRegions},
	{"GET", "compute/v1/projects/{project}/global/networks", "compute.networks.list", (*Cloud).listNetworks},
	{"POST", "compute/v1/projects/{project}/global/networks", "compute.networks.create", (*Cloud).insertNetwork},
	{"GET", "compute/v1/projects/{project}/global/networks/{name}", "compute.networks.get", (*Cloud).getNetwork},
	{"PATCH", "compute/v1/projects/{project}/global/networks/{name}", "compute.networks.update", (*Cloud).patchNetwork},
	{"DELETE", "compute/v1/projects/{project}/global/networks/{name}", "compute.networks.delete", (*Cloud).deleteNetwork},
	{"GET", "compute/v1/projects/{project}/aggregated/subnetworks", "compute.subnetworks.list", (*Cloud).aggregatedSubnetworks},
	{"GET", "compute/v1/projects/{project}/regions/{region}/subnetworks", "compute.subnetworks.list", (*Cloud).listSubnetworks},
	{"POST", "compute/v1/projects/{project}/regions/{region}/subnetworks", "compute.subnetworks.create", (*Cloud).insertSubnetwork},
	{"GET", "compute/v1/projects/{project}/regions/{region}/subnetworks/{name}", "compute.subnetworks.get", (*Cloud).getSubnetwork},
	{"PATCH", "compute/v1/projects/{project}/regions/{region}/subnetworks/{name}", "compute.subnetworks.update", (*Cloud).patchSubnetwork},
	{"DELETE", "compute/v1/projects/{project}/regions/{region}/subnetworks/{name}", "compute.subnetworks.delete", (*Cloud).deleteSubnetwork},
	{"POST", "compute/v1/projects/{project}/regions/{region}/subnetworks/{name}/expandIpCidrRange", "compute.subnetworks.expandIpCidrRange", (*Cloud).expandSubnetwork},
	{"GET", "compute/v1/projects/{project}/global/operations/{name}", "compute.globalOperations.get", (*Cloud).getOperation},
	{"GET", "compute/v1/projects/{project}/regions/{region}/operations/{name}", "compute.regionOperations.get", (*Cloud).getOperation},
	{"POST", "compute/v1/projects/{project}/global/operations/{name}/wait", "compute.globalOperations.get", (*Cloud).waitOperation},
	{"POST", "compute/v1/projects/{project}/regions/{region}/operations/{name}/wait", "compute.regionOperations.get", (*Cloud).waitOperation},
	{"GET", "v1/projects/{project}/locations/global/internalRanges", "networkconnectivity.internalRanges.list", (*Cloud).listInternalRanges},
	{"GET", "v3/projects", "resourcemanager.projects.list", (*Cloud).listProjects},
	{"GET", "v3/folders", "resourcemanager.folders.list", (*Cloud).listFolders},
	{"POST", "v1/projects/-/serviceAccounts/{name}", "iam.serviceAccounts.getAccessToken", (*Cloud).accessToken},
}

func (r route) matches(in *call) bool {
	want, got := strings.Split(r.path, "/"), strings.Split(strings.Trim(in.URL.Path, "/"), "/")
	if r.method != in.Method || len(want) != len(got) {
		return false
	}
	for i, part := range want {
		switch part {
		case "{project}":
			in.project = got[i]
		case "{region}":
			in.region = got[i]
		case "{name}":
			in.name = got[i]
		default:
			if part != got[i] {
				return false
			}
		}
	}
	return true
}

// ServeHTTP answers a call of any of the services.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := &call{Request: r, page: 1}
	at := slices.IndexFunc(routes, func(r route) bool { return r.matches(in) })
	if at < 0 {
		answer(w, in, nil, notFound(r.URL.Path))
		return
	}
	to := routes[at]
	var err error
	if in.body, err = io.ReadAll(r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	c.mu.Lock()
	if p, known := c.pages[r.URL.Query().Get("pageToken")]; known {
		in.page = p.number
	}
	c.mu.Unlock()
	in.kind = c.Enter(r.Context(), fault.Call{Account: in.project, Region: in.region, Action: to.permission, Page: in.page})
	switch in.kind {
	case fault.Reset:
		panic(http.ErrAbortHandler)
	case fault.Throttle:
		err = refusal{http.StatusForbidden, "rateLimitExceeded", "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute'"}
	case fault.Fail:
		err = refusal{http.StatusServiceUnavailable, "backendError", "Backend Error"}
	case fault.Denied:
		err = denied(in, to.permission)
	case fault.Disabled:
		err = refusal{http.StatusForbidden, "accessNotConfigured", "Compute Engine API has not been used in project " + in.project + " before or it is disabled."}
	case fault.Empty:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
		return
	}
	var out any
	if err == nil {
		c.mu.Lock()
		_, known := c.projects[in.project]
		switch {
		case c.policy != nil && !c.policy[to.permission]:
			err = denied(in, to.permission)
		case in.project != "" && !known:
			err = notFound("projects/" + in.project)
		default:
			out, err = to.do(c, in)
		}
		c.mu.Unlock()
	}
	if in.kind == fault.LoseReply {
		panic(http.ErrAbortHandler)
	}
	answer(w, in, out, err)
}

func denied(in *call, permission string) error {
	return refusal{http.StatusForbidden, "forbidden", "Required '" + permission + "' permission for 'projects/" + in.project + "'"}
}

func answer(w http.ResponseWriter, in *call, out any, err error) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	status := http.StatusOK
	if err != nil {
		r := err.(refusal) //nolint:errorlint,forcetypeassert // nobody wraps one
		status = r.status
		out = map[string]any{"error": map[string]any{"code": r.status, "message": r.message, "errors": []any{map[string]string{"message": r.message, "domain": "global", "reason": r.reason}}}}
	}
	body, _ := json.Marshal(out)
	if in.kind == fault.Truncate {
		fault.Cut(w, body)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// list is the page of a call out of all that it is about: 1 to 500 things.
func list[T any](c *Cloud, in *call, all []T) (some []T, next string, err error) {
	size := 500
	query := in.URL.Query()
	for _, name := range []string{"maxResults", "pageSize"} {
		if said := query.Get(name); said != "" {
			n, err := strconv.Atoi(said)
			if err != nil || n < 1 || n > 500 {
				return nil, "", invalid("Invalid value for field 'maxResults': '%s'. Values must be within the range: [0, 500]", said)
			}
			size = n
		}
	}
	token := query.Get("pageToken")
	if token != "" {
		p, known := c.pages[token]
		if !known {
			return nil, "", invalid("Invalid value for field 'pageToken': '%s'.", token)
		}
		all = nil
		for _, one := range p.left {
			all = append(all, one.(T))
		}
	}
	some = all[:min(size, len(all))]
	rest := all[len(some):]
	switch {
	case in.kind == fault.RepeatPage && token != "":
		return some, token, nil
	case len(rest) == 0:
		return some, "", nil
	}
	p := page{number: in.page + 1}
	for _, one := range rest {
		p.left = append(p.left, one)
	}
	token = "page-" + c.id()
	c.pages[token] = p
	return some, token, nil
}

// id is a number that nothing else has, as text: GCP's ids are 64 bits.
func (c *Cloud) id() string {
	c.next++
	return strconv.Itoa(7_000_000_000_000_000_000 + c.next)
}

func link(parts ...string) string {
	return "https://www.googleapis.com/compute/v1/" + strings.Join(parts, "/")
}

// listing is a list as compute answers it.
func listing(kind string, items any, next string) map[string]any {
	out := map[string]any{"kind": "compute#" + kind, "id": kind, "items": items}
	if next != "" {
		out["nextPageToken"] = next
	}
	return out
}

func (c *Cloud) listRegions(in *call) (any, error) {
	var all []map[string]any
	for _, r := range c.regions {
		all = append(all, map[string]any{"kind": "compute#region", "name": r, "status": "UP", "selfLink": link("projects", in.project, "regions", r)})
	}
	page, next, err := list(c, in, all)
	return listing("regionList", page, next), err
}
