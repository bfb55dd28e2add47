#!/usr/bin/env bash
# Builds tools into bin/, once for each version: goreleaser alone takes minutes. Usage: tools.sh PACKAGE@VERSION...
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
for tool in "$@"; do
  package=${tool%@*} version=${tool#*@}
  name=$(basename "$package")
  [[ $name != v[0-9]* ]] || name=$(basename "$(dirname "$package")")
  if go version -m "bin/$name" 2>/dev/null | awk -v package="$package" -v version="$version" '
    $1 == "path" && $2 == package {path = 1} $1 == "mod" && $3 == version {mod = 1} END {exit !(path && mod)}'; then continue; fi
  echo "building bin/$name $version, which takes a while"
  # Without paths in it the tool is the same everywhere, and an SBOM names the tool by its hash.
  CGO_ENABLED=0 GOBIN=$PWD/bin GOFLAGS=-trimpath go install "$tool"
done
