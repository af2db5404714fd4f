#!/usr/bin/env bash
# Builds the operator's image with what this machine has: docker, podman or buildah.
#
#   operator/image.sh registry.example.com/kubedrill:0.1.0
#
# BASE names another base image (any Debian-like one with Python 3.11 or newer), BUILDER the program that is to build.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "image: $1" >&2; exit 2; }

image=${1:-}
[ -n "$image" ] || fail 'say what the image is to be called: make image IMG=registry.example.com/kubedrill:0.1.0'
case ${image##*/} in
*:*) ;;
*) fail "$image has no tag, and the next version would look the same: say IMG=$image:0.1.0" ;;
esac

answers() { command -v "$1" >/dev/null && case $1 in docker) docker version >/dev/null 2>&1 ;; *) "$1" --version >/dev/null 2>&1 ;; esac; }

builder=${BUILDER:-}
if [ -z "$builder" ]; then
  for one in docker podman buildah; do
    if answers "$one"; then builder=$one && break; fi
  done
  [ -n "$builder" ] || fail 'neither docker (with an engine that answers) nor podman nor buildah is here: install one of them, or build operator/Containerfile elsewhere'
fi

context=build/operator-image
rm -rf "$context" && mkdir -p "$context/operator" "$context/requirements"
cp operator/Containerfile "$context/" && cp requirements/operator.txt "$context/requirements/"
cp -r operator/kubedrill "$context/operator/"
find "$context" -name __pycache__ -prune -exec rm -r {} +

# BUILDER may bring options of its own: unquoted.
# shellcheck disable=SC2086
$builder build ${BASE:+--build-arg "BASE=$BASE"} --file "$context/Containerfile" --tag "$image" "$context"
echo "built $image. Push it: ${builder%% *} push $image"
