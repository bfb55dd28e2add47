#!/usr/bin/env bash
# Builds the last commit twice and compares every artefact: in two folders, by two umasks, in two time zones and homes, and the
# second time from nothing, without what Go has cached. ONLY=linux_amd64 does so for one platform, as release.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/bin
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

build() ( # build FOLDER
  git clone --quiet --no-hardlinks . "$1"
  mkdir "$1/bin"
  cp "$tools/goreleaser" "$tools/cyclonedx-gomod" "$1/bin/"
  # As a release is built, so the commit has to be one.
  git -C "$1" describe --tags --exact-match --match 'v*' >/dev/null 2>&1 || git -C "$1" tag v0.0.0
  "$1/.ci/release.sh" --clean --skip=publish,sign
)
sums() ( # sums FOLDER: of what is released; goreleaser's own notes have the time of the build
  cd "$1/dist"
  find . -maxdepth 2 -type f \( -name '*.tar.gz' -o -name '*.zip' -o -name '*.deb' -o -name '*.rpm' -o -name '*.cdx.json' -o -name '*_SHA256SUMS' \) -exec sha256sum {} + | sort -k 2
)

modules=$(go env GOMODCACHE) proxy=$(go env GOPROXY)
(umask 022 && TZ=UTC build "$work/one")
(umask 077 && mkdir -p "$work/home" && HOME=$work/home GOCACHE=$work/cache GOMODCACHE=$modules GOPROXY=$proxy TZ=Asia/Tokyo build "$work/another/place")

sums "$work/one" >"$work/first"
sums "$work/another/place" >"$work/second"
cat "$work/first"
if ! diff "$work/first" "$work/second"; then
  keep=$(mktemp -d)
  cp -r "$work/one/dist" "$keep/one"
  cp -r "$work/another/place/dist" "$keep/other"
  echo "the two builds differ, as shown above; both are in $keep" >&2
  exit 1
fi
echo "$(wc -l <"$work/first") artefacts are equal byte by byte"
