#!/usr/bin/env bash
# Pushes one image for two kinds of processor, of the programs that release.sh has built. Usage: image.sh NAME:VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 images=()
for arch in amd64 arm64; do
  context=bin/image-$arch
  rm -rf "$context" && mkdir -p "$context/data"
  tar -xzf "dist/server/cloudpam_${name##*:}_linux_$arch.tar.gz" -C "$context" cloudpam
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  docker buildx build --platform "linux/$arch" --provenance=false --file server/Dockerfile --tag "$name-$arch" --push "$context"
  images+=("$name-$arch")
done
docker buildx imagetools create --tag "$name" --tag "${name%:*}:latest" "${images[@]}"
