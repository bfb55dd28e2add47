#!/usr/bin/env bash
# What is checked next to the tests: generated code and provider docs, formatting, vet, module files and links.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t modules < <(go list -m | xargs -n 1 basename)
failed=0
complain() {
  echo "$1" >&2
  failed=1
}

# Compared with what was there before, not with what is committed: a change may be verified before it is committed.
generated=(server/api/api.gen.go client/api.gen.go server/internal/store/query/*.go terraform-provider-cloudpam/docs)
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
tar cf - "${generated[@]}" | tar xf - -C "$before"
make --no-print-directory generate
for file in "${generated[@]}"; do
  diff -ruN "$before/$file" "$file" || complain "$file was out of date; make generate has rewritten it"
done

unformatted=$(gofmt -l "${modules[@]}" examples)
[[ -z $unformatted ]] || complain "gofmt wants to change: $unformatted"
for module in "${modules[@]}"; do
  (cd "$module" && go vet -tags downstream,release ./...) || complain "$module: go vet found something"
  # Without the workspace, as the module is built by those who import or package it.
  (cd "$module" && GOWORK=off go mod tidy -diff) || complain "$module: go mod tidy has something to do"
done
(cd examples && GOWORK=off go vet ./... && GOWORK=off go mod tidy -diff) || complain "examples: go vet or go mod tidy has something to do"
.ci/check-links.sh || failed=1
exit $failed
