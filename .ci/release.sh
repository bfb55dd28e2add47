#!/usr/bin/env bash
# Builds the server's release into dist/server and the provider's into dist/provider. Usage: release.sh ARGUMENT... of
# "goreleaser release". ONLY=linux_amd64 builds for that platform alone, which goreleaser has no word for.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/bin:$PATH GPG_FINGERPRINT=${GPG_FINGERPRINT:-}
mkdir -p bin/release

configuration=$(mktemp -d)
trap 'rm -rf "$configuration"' EXIT
for product in server provider; do
  from=.goreleaser.yml
  [[ $product == server ]] || from=terraform-provider-cloudpam/.goreleaser.yml
  # goreleaser takes a configuration from anywhere, and runs where it is called.
  if [[ -n ${ONLY:-} ]]; then
    sed -E "s/^( *)goos: .*/\1goos: [${ONLY%_*}]/; s/^( *)goarch: .*/\1goarch: [${ONLY#*_}]/" "$from" >"$configuration/$product.yml"
  else
    cp "$from" "$configuration/$product.yml"
  fi
  goreleaser release --config "$configuration/$product.yml" --parallelism "${PARALLELISM:-$(nproc)}" "$@"
done
