package terraform

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// files writes a module. The same estate is the same text.
func (m module) files(account ipam.Account, half bool) []File {
	facts, _ := ipam.FactsOf(account.Cloud)
	cloud := facts.Terraform
	if half {
		cloud = nil
	}
	w := &writing{
		cloud: cloud, account: account.ExternalID, labels: map[string]bool{}, networks: map[string]string{}, pools: map[ipam.UID]string{}, blocks: map[ipam.UID]string{},
		versions: hclwrite.NewEmptyFile(), providers: hclwrite.NewEmptyFile(), ours: hclwrite.NewEmptyFile(), theirs: hclwrite.NewEmptyFile(), imports: hclwrite.NewEmptyFile(),
	}
	// Networks first, and their pools: what is in them refers to both.
	for _, kind := range []ipam.ObservationKind{ipam.ObservedNetwork, ipam.ObservedSubnet} {
		for _, t := range m.things {
			if t.kind == kind {
				w.thing(m.e, t)
			}
		}
	}
	w.preamble()
	files := []File{{"versions.tf", text(w.versions)}, {"providers.tf", text(w.providers)}, {"imports.tf", importHelp + text(w.imports)}, {"cloudpam.tf", text(w.ours)}}
	if len(w.theirs.Body().Blocks()) > 0 {
		files = append(files, File{cloud.Provider + ".tf", text(w.theirs)})
	}
	return files
}

const importHelp = "# Once applied, these blocks have done their work: remove this file.\n\n"

func text(f *hclwrite.File) string {
	return strings.TrimRight(string(hclwrite.Format(f.Bytes())), "\n") + "\n"
}

type writing struct {
	cloud   *ipam.TerraformFacts // nil: CloudPAM's half only
	account string

	labels   map[string]bool     // that are taken
	networks map[string]string   // addresses, by the cloud's id
	pools    map[ipam.UID]string // addresses of pools
	blocks   map[ipam.UID]string // addresses of what has a block, by observation
	regions  []string            // whose provider is used

	versions, providers, ours, theirs, imports *hclwrite.File
}

func (w *writing) thing(e *estate, t *thing) {
	label := w.label(cmpName(t))
	for n, o := range t.blocks {
		name := label
		switch {
		case o.Part != "":
			name = w.label(label + "_" + o.Part)
		case n > 0 && !o.CIDR.Addr().Is4():
			name = w.label(label + "_ipv6")
		case n > 0:
			name = w.label(label + "_" + o.CIDR.String())
		}
		if p, found := e.pools[o.UID]; found {
			w.pool(o, p, name)
		} else if a, found := e.allocations[o.UID]; found {
			w.allocation(o, a, name)
		}
	}
	if w.cloud == nil {
		return
	}
	write := w.cloud.Subnet
	if t.kind == ipam.ObservedNetwork {
		write = w.cloud.Network
	}
	if r, written := write(t.Thing); written {
		w.resource(t, r, label)
	}
}

func cmpName(t *thing) string {
	if t.Name != "" {
		return t.Name
	}
	return t.ID
}

// label makes a name of Terraform's of a text, which nothing in the module has yet.
func (w *writing) label(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if !strings.HasSuffix(b.String(), "_") {
			b.WriteByte('_')
		}
	}
	name := strings.Trim(b.String(), "_")
	if name == "" || name[0] <= '9' {
		name = "n" + name
	}
	free := name
	for n := 2; w.labels[free]; n++ {
		free = fmt.Sprint(name, "_", n)
	}
	w.labels[free] = true
	return free
}

func (w *writing) pool(o ipam.Observation, p ipam.Pool, label string) {
	address := "cloudpam_pool." + label
	b := newBlock(w.ours, "resource", "cloudpam_pool", label)
	if p.Scope != ipam.DefaultScope {
		set(b, "scope", p.Scope)
	}
	set(b, "name", p.Name)
	if p.Parent != "" {
		if parent, here := w.pools[p.ParentUID]; here {
			refer(b, "parent", parent+".id")
		} else {
			set(b, "parent", p.Parent)
		}
	}
	set(b, "cidr", p.CIDR.String())
	if p.Strategy != "best_fit" {
		set(b, "strategy", string(p.Strategy))
	}
	for _, size := range []struct {
		name   string
		length *int
	}{{"min_prefix_length", p.Sizes.Min}, {"max_prefix_length", p.Sizes.Max}, {"default_prefix_length", p.Sizes.Default}} {
		if size.length != nil {
			b.SetAttributeValue(size.name, cty.NumberIntVal(int64(*size.length)))
		}
	}
	words(b, "account", p.Account, "region", p.Region, "environment", p.Environment, "owner", p.Owner, "description", p.Description)
	if len(p.Labels) > 0 {
		set(b, "labels", map[string]string(p.Labels))
	}
	if p.DeletionProtection {
		set(b, "deletion_protection", true)
	}
	if p.Quarantine != nil {
		set(b, "quarantine", (time.Duration(*p.Quarantine) * time.Second).String())
	}
	w.pools[p.UID], w.blocks[o.UID] = address, address
	w.imported(address, string(p.UID), "")
}

func (w *writing) allocation(o ipam.Observation, a ipam.Allocation, label string) {
	address := "cloudpam_allocation." + label
	b := newBlock(w.ours, "resource", "cloudpam_allocation", label)
	if pool, here := w.pools[a.PoolUID]; here {
		refer(b, "pool", pool+".id")
	} else {
		set(b, "pool", a.Pool)
	}
	set(b, "name", a.Name)
	set(b, "cidr", a.CIDR.String())
	words(b, "account", a.Account, "region", a.Region, "environment", a.Environment, "owner", a.Owner, "purpose", a.Purpose, "description", a.Description)
	if len(a.Labels) > 0 {
		set(b, "labels", map[string]string(a.Labels))
	}
	if a.ExpiresAt != nil {
		set(b, "expires_at", a.ExpiresAt.Format(time.RFC3339))
	}
	w.blocks[o.UID] = address
	w.imported(address, a.ID, "")
}

// resource writes what the cloud has, with the CIDRs of what CloudPAM has.
func (w *writing) resource(t *thing, r ipam.Resource, label string) {
	address := r.Type + "." + label
	provider := w.provider(t.Region)
	b := newBlock(w.theirs, "resource", r.Type, label)
	if provider != "" {
		refer(b, "provider", provider)
	}
	for _, a := range r.Arguments {
		w.argument(b, t, a)
	}
	for _, n := range r.Blocks {
		inner := b.AppendNewBlock(n.Type, nil).Body()
		for _, a := range n.Arguments {
			w.argument(inner, t, a)
		}
	}
	if len(r.Unseen) > 0 {
		b.AppendNewline()
		life := b.AppendNewBlock("lifecycle", nil).Body()
		life.AppendUnstructuredTokens(comment("# CloudPAM does not look at these, so that no plan of this file changes them. Take out what you have written down."))
		slices.Sort(r.Unseen)
		tokens := hclwrite.Tokens{{Type: '[', Bytes: []byte("[\n")}}
		for _, u := range r.Unseen {
			tokens = append(tokens, &hclwrite.Token{Bytes: []byte(u + ",\n")})
		}
		life.SetAttributeRaw("ignore_changes", append(tokens, &hclwrite.Token{Bytes: []byte("]")}))
	}
	if t.kind == ipam.ObservedNetwork {
		w.networks[t.ID] = address
	}
	w.imported(address, r.ImportID, provider)
}

func (w *writing) argument(b *hclwrite.Body, t *thing, a ipam.Argument) {
	switch v := a.Value.(type) {
	case netip.Prefix:
		for _, o := range t.blocks {
			if address := w.blocks[o.UID]; o.CIDR == v && address != "" {
				refer(b, a.Name, address+".cidr")
				return
			}
		}
		set(b, a.Name, v.String())
	case ipam.NetworkRef:
		if address, here := w.networks[string(v)]; here {
			refer(b, a.Name, address+".id")
			return
		}
		set(b, a.Name, string(v))
	case string:
		if v != "" {
			set(b, a.Name, v)
		}
	case map[string]string:
		if len(v) > 0 {
			set(b, a.Name, v)
		}
	default:
		set(b, a.Name, v)
	}
}

// provider is that of a region, where the cloud's has one for each.
func (w *writing) provider(region string) string {
	if !w.cloud.Regional {
		return ""
	}
	if !slices.Contains(w.regions, region) {
		w.regions = append(w.regions, region)
		slices.Sort(w.regions)
	}
	return w.cloud.Provider + "." + alias(region)
}

func alias(region string) string { return strings.ReplaceAll(region, "-", "_") }

func (w *writing) imported(address, id, provider string) {
	b := newBlock(w.imports, "import")
	refer(b, "to", address)
	set(b, "id", id)
	if provider != "" {
		refer(b, "provider", provider)
	}
}

func (w *writing) preamble() {
	required := newBlock(w.versions, "terraform")
	set(required, "required_version", ">= 1.6")
	of := required.AppendNewBlock("required_providers", nil).Body()
	set(of, "cloudpam", map[string]string{"source": "cloudpam/cloudpam"})
	ours := newBlock(w.providers, "provider", "cloudpam")
	ours.AppendUnstructuredTokens(comment("# The address and the token come from CLOUDPAM_ENDPOINT and CLOUDPAM_TOKEN."))
	if w.cloud == nil || len(w.theirs.Body().Blocks()) == 0 {
		return
	}
	set(of, w.cloud.Provider, map[string]string{"source": w.cloud.Source, "version": w.cloud.Version})
	regions := w.regions
	if !w.cloud.Regional {
		regions = []string{""}
	}
	for _, region := range regions {
		b := newBlock(w.providers, "provider", w.cloud.Provider)
		if w.cloud.Regional {
			set(b, "alias", alias(region))
		}
		for _, a := range w.cloud.Configure(w.account, region) {
			set(b, a.Name, a.Value)
		}
	}
}

func newBlock(f *hclwrite.File, kind string, labels ...string) *hclwrite.Body {
	if len(f.Body().Blocks()) > 0 {
		f.Body().AppendNewline()
	}
	return f.Body().AppendNewBlock(kind, labels).Body()
}

func comment(text string) hclwrite.Tokens {
	return hclwrite.Tokens{{Bytes: []byte(text + "\n")}}
}

// words sets those of some attributes that say something.
func words(b *hclwrite.Body, pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		if name, value := pair[0], pair[1]; value != "" {
			set(b, name, value)
		}
	}
}

func refer(b *hclwrite.Body, name, address string) {
	var path hcl.Traversal
	for i, part := range strings.Split(address, ".") {
		if i == 0 {
			path = append(path, hcl.TraverseRoot{Name: part})
		} else {
			path = append(path, hcl.TraverseAttr{Name: part})
		}
	}
	b.SetAttributeTraversal(name, path)
}

func set(b *hclwrite.Body, name string, value any) {
	switch v := value.(type) {
	case bool:
		b.SetAttributeValue(name, cty.BoolVal(v))
	case []string:
		var all []cty.Value
		for _, text := range v {
			all = append(all, cty.StringVal(text))
		}
		b.SetAttributeValue(name, cty.ListVal(all))
	case map[string]string:
		all := map[string]cty.Value{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all[key] = cty.StringVal(v[key])
		}
		b.SetAttributeValue(name, cty.MapVal(all))
	case string:
		b.SetAttributeValue(name, cty.StringVal(v))
	default:
		panic(fmt.Sprintf("terraform: %s has a value of type %T", name, value))
	}
}
