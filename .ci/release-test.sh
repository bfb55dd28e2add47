#!/usr/bin/env bash
# Installs what `make release/snapshot` has built, and uses it. Packages are installed above this machine's own file system, in
# mounts that only these tests have, so it is for root.
set -euo pipefail
cd "$(dirname "$0")/.."
if ((EUID != 0)); then
  echo "make release/test installs packages: run it as root" >&2
  exit 1
fi
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
if ! command -v rpm >/dev/null; then
  echo "make release/test needs rpm. On Debian: apt-get install --no-install-recommends rpm" >&2
  exit 1
fi
terraform=$(cd terraform-provider-cloudpam && go run ./tools/findterraform "$PWD/../bin")
export TF_ACC_TERRAFORM_PATH=$terraform CGO_ENABLED=0
exec unshare --mount go test -C server -count=1 -tags release -timeout 60m ./packaging
