#!/usr/bin/env bash
# The tests of every module. They meet the real thing: PostgreSQL, a browser and the Terraform CLI. What is missing is
# installed (as root on Debian) or named; nothing is skipped. The server runs with -race: concurrency is its trade.
set -euo pipefail
cd "$(dirname "$0")/.."
export CI=true # tests that cannot find what they need must fail, not skip

missing=()
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]] || missing+=(pgbouncer)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium fonts-liberation)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
if ((${#missing[@]})); then
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    echo "make test needs: ${missing[*]}. On Debian: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
fi
# Debian keeps the server's programs out of PATH.
pg=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1 || true)
[[ -z $pg ]] || export PATH=$PATH:$pg

terraform=$(cd terraform-provider-cloudpam && go run ./tools/findterraform "$PWD/../bin")
export TF_ACC=1 TF_ACC_TERRAFORM_PATH=$terraform CHECKPOINT_DISABLE=1
if [[ $(basename "$terraform") == tofu ]]; then
  # OpenTofu completes a provider's short name with its own registry.
  export TF_ACC_PROVIDER_NAMESPACE=hashicorp TF_ACC_PROVIDER_HOST=registry.opentofu.org
fi

# -count=1: many tests run programs that they build, and a cached result would not know that those have changed.
failed=0
for module in client web terraform-provider-cloudpam; do
  echo "── $module"
  (cd $module && go test -count=1 -timeout 30m ./...) || failed=1
done
echo "── server, with the race detector"
(cd server && CGO_ENABLED=1 go test -race -count=1 -timeout 30m ./...) || failed=1
exit $failed
