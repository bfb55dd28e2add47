package policy

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/cloudpam/cloudpam/server/internal/ipam"
)

// An expression is CEL over what is known of an allocation or a pool. It is asked on every change, under a lock, so it may neither be
// long nor cost much: a loop within a loop over labels ends early, and the change is refused.
const (
	mostText = 2048
	mostCost = 20_000 // of CEL's own units: about a thousand steps of a label loop
)

var variables = []cel.EnvOption{
	cel.Variable("kind", cel.StringType), cel.Variable("name", cel.StringType), cel.Variable("scope", cel.StringType), cel.Variable("pool", cel.StringType),
	cel.Variable("cidr", cel.StringType), cel.Variable("prefix_length", cel.IntType), cel.Variable("owner", cel.StringType), cel.Variable("purpose", cel.StringType),
	cel.Variable("account", cel.StringType), cel.Variable("region", cel.StringType), cel.Variable("environment", cel.StringType),
	cel.Variable("labels", cel.MapType(cel.StringType, cel.StringType)),
}

var programs cache[cel.Program]

func compile(text string) (cel.Program, error) {
	env, err := cel.NewEnv(variables...)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("it is a %s, and not true or false", ast.OutputType())
	}
	return env.Program(ast, cel.CostLimit(mostCost))
}

// CheckExpression refuses text that is no expression of a policy. Errors: CodeInvalid.
func CheckExpression(r ipam.Rules) error {
	if r.Expression == "" {
		return nil
	}
	if len(r.Expression) > mostText {
		return ipam.Invalid("/rules/expression", "an expression has at most %d bytes; this one has %d", mostText, len(r.Expression))
	}
	if _, err := programs.of(r.Expression, compile); err != nil {
		return ipam.Invalid("/rules/expression", "this is no CEL expression over kind, name, scope, pool, cidr, prefix_length, owner, purpose, account, region, environment and labels: %s",
			strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " "))
	}
	return nil
}

// evaluate says what an expression is of some facts where that is not true; "" where it is.
func evaluate(text string, f Facts) string {
	program, err := programs.of(text, compile)
	if err != nil {
		return "not readable by this server: " + err.Error()
	}
	labels := f.Labels
	if labels == nil {
		labels = ipam.Labels{}
	}
	is, _, err := program.Eval(map[string]any{
		"kind": string(f.Kind), "name": f.Name, "scope": f.Scope, "pool": f.Pool, "cidr": f.CIDR.String(), "prefix_length": f.CIDR.Bits(), "owner": f.Owner,
		"purpose": f.Purpose, "account": f.Account, "region": f.Region, "environment": f.Environment, "labels": map[string]string(labels),
	})
	switch {
	case err != nil && strings.Contains(err.Error(), "cost"):
		return "too costly"
	case err != nil:
		return "not decided (" + err.Error() + ")"
	case is.Value() != true:
		return "false"
	}
	return ""
}
