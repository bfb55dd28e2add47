// Package awsfake is a double of AWS for tests: EC2, STS and Organizations as they are on the wire, so that the real SDK and the real
// Terraform provider page, retry and decode against it. It knows what concerns address space and refuses what AWS refuses there;
// signatures are read, not checked.
package awsfake

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cloudpam/cloudpam/server/internal/cloud/fault"
)

// Cloud is all of AWS. Its zero value is not ready; see New. It is safe for concurrent use.
type Cloud struct {
	fault.Door
	// ExternalID, where it is set, is what AssumeRole insists on.
	ExternalID string

	mu       sync.Mutex
	next     int
	lag      int
	regions  []string
	accounts map[string]string // id to name
	vpcs     []*vpc
	subnets  []*subnet
	pools    []*ipamPool
	off      map[string]bool  // regions, and "account/region"
	pages    map[string][]any // what is left behind a token
	policy   map[string]bool  // what is allowed; nil: everything
	starts   map[string]int   // offsets, for the number of a page
	deleted  []string
}

// New makes an AWS with these regions and accounts, the first of which is the management account of an organization.
func New(regions []string, accounts ...string) *Cloud {
	c := &Cloud{regions: regions, accounts: map[string]string{}, off: map[string]bool{}, pages: map[string][]any{}, starts: map[string]int{}}
	for _, a := range accounts {
		c.accounts[a] = "account " + a
	}
	return c
}

// AccessKey is an access key of an account; any secret goes with it.
func AccessKey(account string) string { return "AKIA" + account }

// call is one request.
type call struct {
	*http.Request
	service, region, account string
	action                   string
	form                     map[string]string // the query protocol's flat parameters
	body                     []byte            // JSON, of Organizations
	page                     int
	kind                     fault.Kind
}

// refusal is an error as AWS words it.
type refusal struct {
	status        int
	code, message string
}

func (r refusal) Error() string { return r.code + ": " + r.message }

func refuse(code, format string, args ...any) error {
	return refusal{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

var credential = regexp.MustCompile(`Credential=([A-Z]{4})([0-9]{12})[^/]*/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

// ServeHTTP answers a call of any of the services.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, err := c.read(r)
	if err != nil {
		c.answer(w, in, nil, err)
		return
	}
	in.kind = c.Enter(r.Context(), fault.Call{Account: in.account, Region: in.region, Action: in.service + ":" + in.action, Page: in.page})
	switch in.kind {
	case fault.Reset:
		panic(http.ErrAbortHandler)
	case fault.Throttle:
		err = refusal{http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded."}
		if in.service != "ec2" {
			err = refusal{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}
		}
	case fault.Fail:
		err = refusal{http.StatusInternalServerError, "InternalError", "An internal error has occurred"}
	case fault.Denied:
		err = denied(in)
	case fault.Disabled:
		err = refusal{http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials"}
	case fault.Empty:
		w.WriteHeader(http.StatusOK)
		return
	}
	var out any
	if err == nil {
		c.mu.Lock()
		if c.policy != nil && !c.policy[in.service+":"+in.action] {
			err = denied(in)
		} else if err = c.enabled(in); err == nil {
			out, err = c.do(in)
		}
		c.mu.Unlock()
	}
	if in.kind == fault.LoseReply {
		panic(http.ErrAbortHandler)
	}
	c.answer(w, in, out, err)
}

func denied(in *call) error {
	switch in.service {
	case "ec2":
		return refusal{http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation. User: arn:aws:iam::" + in.account + ":user/cloudpam is not authorized to perform: ec2:" + in.action}
	case "organizations":
		return refusal{http.StatusBadRequest, "AccessDeniedException", "You don't have permissions to access this resource."}
	}
	return refusal{http.StatusForbidden, "AccessDenied", "User: arn:aws:iam::" + in.account + ":user/cloudpam is not authorized to perform: sts:" + in.action}
}

// enabled refuses regions that are off for the account, in the way that EC2 does.
func (c *Cloud) enabled(in *call) error {
	if in.service == "ec2" && (!slices.Contains(c.regions, in.region) || c.off[in.region] || c.off[in.account+"/"+in.region]) {
		return refusal{http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials"}
	}
	return nil
}

// read finds out who asks where for what.
func (c *Cloud) read(r *http.Request) (*call, error) {
	in := &call{Request: r, form: map[string]string{}, page: 1}
	who := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if who == nil {
		return in, refusal{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	}
	in.account, in.region, in.service = who[2], who[3], who[4]
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		return in, refuse("InvalidRequest", "%v", err)
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		in.action = target[strings.LastIndexByte(target, '.')+1:]
		in.body = body.Bytes()
		var token struct{ NextToken string }
		_ = json.Unmarshal(in.body, &token)
		in.form["NextToken"] = token.NextToken
	} else {
		r.Body = http.NoBody
		form, err := parse(body.String())
		if err != nil {
			return in, refuse("InvalidRequest", "%v", err)
		}
		in.form = form
		in.action = in.form["Action"]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, known := c.starts[in.form["NextToken"]]; known {
		in.page = n
	}
	if _, known := c.accounts[in.account]; !known {
		return in, refusal{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	return in, nil
}

// do runs an action under the lock.
func (c *Cloud) do(in *call) (any, error) {
	actions := map[string]func(*call) (any, error){
		"ec2:DescribeRegions": c.describeRegions, "ec2:DescribeVpcs": c.describeVpcs, "ec2:DescribeSubnets": c.describeSubnets,
		"ec2:CreateVpc": c.createVpc, "ec2:DeleteVpc": c.deleteVpc, "ec2:AssociateVpcCidrBlock": c.associate, "ec2:DisassociateVpcCidrBlock": c.disassociate,
		"ec2:CreateSubnet": c.createSubnet, "ec2:DeleteSubnet": c.deleteSubnet, "ec2:CreateTags": c.createTags, "ec2:DeleteTags": c.deleteTags,
		"ec2:DescribeVpcAttribute": c.describeVpcAttribute, "ec2:DescribeSecurityGroups": c.describeBeside, "ec2:DescribeRouteTables": c.describeBeside,
		"ec2:DescribeNetworkAcls": c.describeBeside, "ec2:DescribeNetworkInterfaces": c.describeBeside,
		"ec2:DescribeIpamPools": c.describeIpamPools, "ec2:GetIpamPoolCidrs": c.getIpamPoolCidrs, "ec2:GetIpamPoolAllocations": c.getIpamPoolAllocations,
		"sts:GetCallerIdentity": c.getCallerIdentity, "sts:AssumeRole": c.assumeRole,
		"organizations:ListAccounts": c.listAccounts,
	}
	act := actions[in.service+":"+in.action]
	if act == nil {
		return nil, refuse("InvalidAction", "The action %s is not valid for this web service.", in.action)
	}
	return act(in)
}

// answer writes what a call comes to.
func (c *Cloud) answer(w http.ResponseWriter, in *call, out any, err error) {
	var (
		body   []byte
		status = http.StatusOK
		failed refusal
	)
	if err != nil {
		failed, _ = err.(refusal) //nolint:errorlint // nobody wraps one
		status = failed.status
	}
	kind := "text/xml;charset=UTF-8"
	switch {
	case in.body != nil: // JSON
		kind = "application/x-amz-json-1.1"
		if err != nil {
			out = map[string]string{"__type": failed.code, "Message": failed.message}
		}
		body, _ = json.Marshal(out)
	case err != nil && in.service == "sts":
		body = fmt.Appendf(nil, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, failed.code, escape(failed.message))
	case err != nil:
		body = fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>r</RequestID></Response>`, failed.code, escape(failed.message))
	case in.service == "sts":
		body, _ = xml.Marshal(named{xml.Name{Local: in.action + "Response"}, wrapped{xml.Name{Local: in.action + "Result"}, out}, ""})
	default:
		body, _ = xml.Marshal(named{xml.Name{Local: in.action + "Response"}, out, "r"})
	}
	w.Header().Set("Content-Type", kind)
	if in.kind == fault.Truncate {
		fault.Cut(w, body)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// named is an answer in its element, with the members of out as they are.
type named struct {
	XMLName   xml.Name
	Out       any
	RequestID string
}

// MarshalXML writes the members of the answer directly below it.
func (n named) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: n.XMLName}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if n.RequestID != "" {
		if err := e.EncodeElement(n.RequestID, xml.StartElement{Name: xml.Name{Local: "requestId"}}); err != nil {
			return err
		}
	}
	if err := e.Encode(n.Out); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

type wrapped struct {
	XMLName xml.Name
	Out     any
}

// MarshalXML is named without an id.
func (w wrapped) MarshalXML(e *xml.Encoder, s xml.StartElement) error {
	return named{w.XMLName, w.Out, ""}.MarshalXML(e, s)
}

func escape(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}

// list is the page of a call out of all that it is about. EC2 takes 5 to 1000 a page.
func list[T any](c *Cloud, in *call, all []T) (page []T, next *string, err error) {
	size := 1000
	if said := in.form["MaxResults"]; said != "" {
		n, err := strconv.Atoi(said)
		if err != nil || n < 5 || n > 1000 {
			return nil, nil, refuse("InvalidParameterValue", "Value ( %s ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", said)
		}
		size = n
	}
	token := in.form["NextToken"]
	if token != "" {
		left, known := c.pages[token]
		if !known {
			return nil, nil, refuse("InvalidNextToken", "The token %q is invalid.", token)
		}
		all = nil
		for _, one := range left {
			all = append(all, one.(T))
		}
	}
	page = all[:min(size, len(all))]
	rest := all[len(page):]
	if len(rest) == 0 && in.kind != fault.RepeatPage {
		return page, nil, nil
	}
	if in.kind == fault.RepeatPage && token != "" {
		return page, &token, nil
	}
	var left []any
	for _, one := range rest {
		left = append(left, one)
	}
	token = c.id("page")
	c.pages[token], c.starts[token] = left, in.page+1
	return page, &token, nil
}

func (c *Cloud) id(what string) string {
	c.next++
	return fmt.Sprintf("%s-%017x", what, c.next)
}

// block reads a CIDR as EC2 does: host bits are cleared.
func block(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, refuse("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	}
	return p.Masked(), nil
}
