#!/usr/bin/env bash
# Writes docs/, the pages that the registry shows, from the schemas, the examples and the templates. Nothing is downloaded but
# the generator itself, so $1 is its module and version.
set -euo pipefail
cd "$(dirname "$0")/.."
terraform=${TF_ACC_TERRAFORM_PATH:-$(go run ./tools/findterraform "$PWD/../bin")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

go build -o "$work/terraform-provider-cloudpam" .
cat >"$work/terraformrc" <<EOF
provider_installation {
  dev_overrides { "cloudpam/cloudpam" = "$work" }
  direct {}
}
EOF
cp examples/provider/provider.tf "$work"
export TF_CLI_CONFIG_FILE=$work/terraformrc CHECKPOINT_DISABLE=1
# The generator looks for the provider under hashicorp, whoever publishes it.
(cd "$work" && "$terraform" providers schema -json) |
  sed -E 's#"registry\.(terraform\.io|opentofu\.org)/cloudpam/cloudpam"#"registry.terraform.io/hashicorp/cloudpam"#' >"$work/schema.json"
go run "$1" generate --provider-name cloudpam --rendered-provider-name CloudPAM --providers-schema "$work/schema.json" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2 && exit 1; }
# Links to nested schemas go to their headings, as all links of this repository do, and not to raw HTML anchors.
sed -i.bak -E 's/\(#nestedatt--([a-z_]+)(--([a-z_]+))?\)/(#nested-schema-for-\1\3)/' docs/*/*.md
rm docs/*/*.bak
