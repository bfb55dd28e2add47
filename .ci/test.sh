#!/usr/bin/env bash
# All that a change must pass, by hand and in CI: the tests of every module, what verify checks, and the linters. The tests
# meet the real thing: PostgreSQL, a browser, the Terraform CLI. What is missing is installed (as root on Debian) or named.
# Nothing is skipped, unless CLOUDPAM_TEST_ENGINES=sqlite leaves PostgreSQL out, which CI refuses.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${CLOUDPAM_TEST_ENGINES:=all} in
  all) ;;
  sqlite)
    if [[ ${CI:-} == true ]]; then
      echo "CLOUDPAM_TEST_ENGINES=sqlite leaves tests out, which CI never does" >&2
      exit 1
    fi
    echo "CLOUDPAM_TEST_ENGINES=sqlite: every test on PostgreSQL is left out"
    ;;
  *)
    echo "CLOUDPAM_TEST_ENGINES is all, the default, or sqlite, not $CLOUDPAM_TEST_ENGINES" >&2
    exit 1
    ;;
esac
export CLOUDPAM_TEST_ENGINES

# Debian keeps servers out of a user's PATH, and PostgreSQL's programs out of everybody's.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
find_postgres() { # the newest one, unless PATH has one
  local found
  command -v initdb >/dev/null && return
  found=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -1) && [[ -n $found ]] && PATH=$PATH:$found
}
missing=()
if [[ $CLOUDPAM_TEST_ENGINES == all ]]; then
  find_postgres || missing+=(postgresql)
  command -v pgbouncer >/dev/null || missing+=(pgbouncer)
fi
command -v nginx >/dev/null || missing+=(nginx)
command -v caddy >/dev/null || missing+=(caddy)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium fonts-liberation)
command -v promtool >/dev/null || missing+=(prometheus)
command -v systemd-analyze >/dev/null || missing+=(systemd)
for shell in zsh fish; do # their completion is tested
  command -v $shell >/dev/null || missing+=($shell)
done
command -v gcc >/dev/null || missing+=(gcc libc6-dev) # for the race detector
if ((${#missing[@]})); then
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    echo "make test needs: ${missing[*]}. On Debian: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=600 update -qq
  apt-get -o DPkg::Lock::Timeout=600 install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
  [[ $CLOUDPAM_TEST_ENGINES == sqlite ]] || find_postgres
fi

# What is built twice, with cgo and without, takes twice as long; only the race detector needs cgo.
export CGO_ENABLED=0 CHECKPOINT_DISABLE=1
# Tests and the programs that they run are many short processes: with fewer collections they take a fifth less of the processor.
export GOGC=400
mkdir -p bin

logs=$(mktemp -d) postgres=
trap 'rm -rf "$logs"; [[ -z $postgres ]] || { exec {input}>&-; wait "$postgres" || true; }' EXIT

# One PostgreSQL for all suites. It ends with its standard input, so it never outlives this script, however that ends.
if [[ $CLOUDPAM_TEST_ENGINES == all && -z ${CLOUDPAM_TEST_POSTGRES_URL:-} ]]; then
  go build -C server -o ../bin/testpostgres ./internal/store/storetest/testpostgres
  coproc POSTGRES { exec bin/testpostgres; }
  postgres=$POSTGRES_PID input=${POSTGRES[1]}
  read -r CLOUDPAM_TEST_POSTGRES_URL <&"${POSTGRES[0]}"
  export CLOUDPAM_TEST_POSTGRES_URL
fi

terraform=$(cd terraform-provider-cloudpam && go run ./tools/findterraform "$PWD/../bin")
export TF_ACC=1 TF_ACC_TERRAFORM_PATH=$terraform
if [[ $(basename "$terraform") == tofu ]]; then
  # OpenTofu completes a provider's short name with its own registry.
  export TF_ACC_PROVIDER_NAMESPACE=hashicorp TF_ACC_PROVIDER_HOST=registry.opentofu.org
fi

failed=()
run() { # run NAME COMMAND...; a failure stops nothing, and is told again at the end
  local name=$1 TIMEFORMAT
  shift
  echo "── $name"
  TIMEFORMAT="── $name took %0R s, %0U s + %0S s of the processor"
  time "$@" 2>&1 | tee "$logs/$name" || failed+=("$name")
}
told() { # told NAME: what failed and why, without what else was printed and without the servers' logs
  grep -vE '^ *\{"time"' "$logs/$1" | awk '
    /--- FAIL|^FAIL|^panic|DATA RACE|^make|^\+\+\+|^[-+]/ {left = 1}
    /^ *[a-z0-9_]+_test\.go:[0-9]+: |^[^ ]+\.(go|ts|js|md):[0-9]+/ {left = 12}
    left-- > 0 {print substr($0, 1, 400)}' | head -n 120
}
# Much of a test's time is a wait, for a disk or a process of its own; more at once than there are cores fill it.
# -count=1: many tests run programs that they build, and a cached result would not know that those have changed. No test
# depends on time; -timeout is only for one that hangs, however busy the machine is.
tests() { # tests MODULE ARGUMENT...
  go test -C "$1" -count=1 -timeout 60m "${@:2}"
}
# The race detector makes SQLite, which is Go here, more than ten times as slow. So it runs where goroutines meet: the store,
# the server as a whole, and of the other packages those tests that let many callers in at once. The plans of queries have one.
raced=(./internal/store ./internal/app ./internal/torture)
callers=$(cd server && awk '
  /^func / {name = $2; sub(/\(.*/, "", name); next}
  name ~ /^Test/ && /[tT]ogether\(|\.Go\(|go func/ {folder = FILENAME; sub(/\/[^\/]*$/, "", folder); print "./" folder, name}
' $(find internal -name '*_test.go') | sort -u | grep -vE "^($(IFS='|' && echo "${raced[*]}")) ")

run "the server's tests" tests server -p 4 ./...
run "tests of the provider" tests terraform-provider-cloudpam -parallel 4 ./...
run "tests of the client" tests client ./...
# What Kubernetes and Helm bring stays out of the modules that are released.
run "tests of the examples" env GOWORK=off go test -C examples -count=1 -timeout 60m ./...
run "tests of the browser UI" tests web ./...
export CGO_ENABLED=1
run "the server's tests with the race detector" tests server -p 4 -race -skip '^TestEveryHotQueryHasItsIndex$' "${raced[@]}"
run "tests of many callers with the race detector" tests server -race -run "^($(awk '{print $2}' <<<"$callers" | paste -sd '|'))\$" \
  $(awk '{print $1}' <<<"$callers" | sort -u)
export CGO_ENABLED=0
run "verify" .ci/verify.sh
run "lint" make --no-print-directory lint

if ((${#failed[@]})); then
  for name in "${failed[@]}"; do
    echo "── $name failed:"
    told "$name"
  done
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
