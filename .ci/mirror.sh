#!/usr/bin/env bash
# Gives the repository that the Terraform registry reads the sources of the provider, with their history, and the tag of the release.
# Usage: mirror.sh vX.Y.Z REPOSITORY. The module client/vX.Y.Z has to be published before: a split cannot reach ../client.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 repository=$2
module=github.com/cloudpam/cloudpam/client

split=$(git subtree split -q --prefix=terraform-provider-cloudpam "$version")
work=$(mktemp -d)
trap 'git worktree remove --force "$work/mirror" 2>/dev/null || true; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/mirror" "$split"
cp LICENSE "$work/mirror/"
(
  cd "$work/mirror"
  export GOWORK=off
  go mod edit -dropreplace=$module -require=$module@"$version"
  go mod tidy
  git add LICENSE go.mod go.sum
  git commit --quiet --message "Require the released client $version"
  git push --quiet --force "$repository" HEAD:refs/heads/main
  git push --quiet "$repository" "HEAD:refs/tags/$version"
)
echo "$repository has $version"
