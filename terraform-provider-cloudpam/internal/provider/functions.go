package provider

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The provider's functions are plain arithmetic: they ask no server, reserve nothing, and work on known values of any plan.

func functions() []func() function.Function {
	return []func() function.Function{
		func() function.Function { return normalizeFunction{} },
		func() function.Function { return containsFunction{} },
		func() function.Function { return overlapsFunction{} },
		func() function.Function { return carveFunction{} },
	}
}

// network reads a CIDR with or without host bits, or a single address.
func network(argument int64, text string) (netip.Prefix, *function.FuncError) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return p, function.NewArgumentFuncError(argument, fmt.Sprintf("%q is not a CIDR or an address; one looks like 10.0.0.0/24 or 2001:db8::/56", text))
	}
	return p.Masked(), nil
}

func cidrParameter(name, description string) function.StringParameter {
	return function.StringParameter{Name: name, MarkdownDescription: description}
}

type normalizeFunction struct{}

// Metadata names the function.
func (normalizeFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "normalize"
}

// Definition describes the function.
func (normalizeFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "The canonical spelling of a CIDR",
		MarkdownDescription: "Clears host bits and spells IPv6 as RFC 5952 does: `10.1.2.3/16` becomes `10.1.0.0/16`, `2001:DB8:0::/48` becomes `2001:db8::/48`. An address becomes the CIDR of that address.",
		Parameters:          []function.Parameter{cidrParameter("cidr", "A CIDR or an address.")},
		Return:              function.StringReturn{},
	}
}

// Run computes the answer.
func (normalizeFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	p, err := network(0, text)
	if err != nil {
		resp.Error = err
		return
	}
	resp.Error = resp.Result.Set(ctx, p.String())
}

type containsFunction struct{}

// Metadata names the function.
func (containsFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "contains"
}

// Definition describes the function.
func (containsFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "Whether one CIDR lies in another",
		MarkdownDescription: "True when `inner`, a CIDR or an address, lies wholly in `outer` or equals it. Different address families never contain each other.",
		Parameters:          []function.Parameter{cidrParameter("outer", "The CIDR around."), cidrParameter("inner", "The CIDR or address inside.")},
		Return:              function.BoolReturn{},
	}
}

// Run computes the answer.
func (containsFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var outerText, innerText string
	if resp.Error = req.Arguments.Get(ctx, &outerText, &innerText); resp.Error != nil {
		return
	}
	outer, outerErr := network(0, outerText)
	inner, innerErr := network(1, innerText)
	if resp.Error = function.ConcatFuncErrors(outerErr, innerErr); resp.Error != nil {
		return
	}
	resp.Error = resp.Result.Set(ctx, outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr()))
}

type overlapsFunction struct{}

// Metadata names the function.
func (overlapsFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "overlaps"
}

// Definition describes the function.
func (overlapsFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "Whether any two CIDRs share an address",
		MarkdownDescription: "True when at least two CIDRs of the list share an address. Made for preconditions on lists that people keep by hand.",
		Parameters:          []function.Parameter{function.ListParameter{Name: "cidrs", ElementType: types.StringType, MarkdownDescription: "CIDRs or addresses."}},
		Return:              function.BoolReturn{},
	}
}

// Run computes the answer.
func (overlapsFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var texts []string
	if resp.Error = req.Arguments.Get(ctx, &texts); resp.Error != nil {
		return
	}
	all := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := network(0, text)
		if err != nil {
			resp.Error = err
			return
		}
		all = append(all, p)
	}
	// In address order, the larger first, an overlap is always one of neighbours.
	slices.SortFunc(all, netip.Prefix.Compare)
	shared := false
	for i := 1; i < len(all); i++ {
		shared = shared || all[i-1].Overlaps(all[i])
	}
	resp.Error = resp.Result.Set(ctx, shared)
}

type carveFunction struct{}

// Metadata names the function.
func (carveFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "carve"
}

// Definition describes the function.
func (carveFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Cuts a CIDR into named blocks",
		MarkdownDescription: "Places blocks of the given prefix lengths in a CIDR, the largest first and equal ones by name, without gaps. " +
			"The answer depends on all the names and sizes: adding one may move others. Where blocks must keep their place, allocate them with `cloudpam_allocation` instead.",
		Parameters: []function.Parameter{
			cidrParameter("cidr", "The CIDR to cut."),
			function.MapParameter{Name: "blocks", ElementType: types.Int64Type, MarkdownDescription: "Prefix lengths by name, such as `{ app = 24, db = 26 }`."},
		},
		Return: function.MapReturn{ElementType: types.StringType},
	}
}

// Run computes the answer.
func (carveFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	var lengths map[string]int64
	if resp.Error = req.Arguments.Get(ctx, &text, &lengths); resp.Error != nil {
		return
	}
	root, err := network(0, text)
	if err != nil {
		resp.Error = err
		return
	}
	blocks, err := carve(root, lengths)
	if err != nil {
		resp.Error = err
		return
	}
	resp.Error = resp.Result.Set(ctx, blocks)
}

func carve(root netip.Prefix, lengths map[string]int64) (map[string]string, *function.FuncError) {
	names := slices.SortedFunc(maps.Keys(lengths), func(a, b string) int {
		if lengths[a] != lengths[b] {
			return int(lengths[a] - lengths[b])
		}
		return strings.Compare(a, b)
	})
	blocks, next := map[string]string{}, root.Addr()
	for _, name := range names {
		length := lengths[name]
		if length < int64(root.Bits()) || length > int64(root.Addr().BitLen()) {
			return nil, function.NewArgumentFuncError(1, fmt.Sprintf("%s = %d does not fit %s; use %d to %d", name, length, root, root.Bits(), root.Addr().BitLen()))
		}
		// The largest come first, so the next address is always aligned for what follows.
		if !root.Contains(next) {
			return nil, function.NewArgumentFuncError(1, fmt.Sprintf("%s has no room left for %s, a /%d", root, name, length))
		}
		block := netip.PrefixFrom(next, int(length))
		blocks[name] = block.String()
		next = lastAddress(block).Next()
	}
	return blocks, nil
}
