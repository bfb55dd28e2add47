#!/usr/bin/env bash
# Plans the examples for AWS and GCP with the real providers, without a cloud. They come from the Go module proxy, checked
# against Go's checksum database, and are built once, into bin/downstream. Both are old, and know all that the examples say;
# Terraform asks for no version of a provider that it is pointed at.
set -euo pipefail
cd "$(dirname "$0")/.."

# build NAME MODULE VERSION
build() {
  local dir=bin/downstream/$1 binary=terraform-provider-$1
  if [[ -x $dir/$binary ]] && grep -qF "$2 $3" "$dir/go.mod"; then return; fi
  echo "building $2 $3, which takes minutes and 2.5 GB of memory"
  rm -rf "$dir"
  mkdir -p "$dir"
  printf 'module downstream\n\ngo 1.26\n\nrequire %s %s\n' "$2" "$3" >"$dir/go.mod"
  (cd "$dir" && GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$binary" "$2")
}
build aws github.com/terraform-providers/terraform-provider-aws v1.60.1-0.20191010190908-1261a98537f2 # 2.32
build google github.com/hashicorp/terraform-provider-google v1.20.1-0.20220201002249-bc5fcb3c89a5     # 4.9

cd terraform-provider-cloudpam
TF_ACC_TERRAFORM_PATH=$(go run ./tools/findterraform "$PWD/../bin") go test -count=1 -tags downstream ./internal/downstream
