#!/usr/bin/env bash
# Installs Chromium, which pages are opened in, where there is none and apt-get may install one.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "only root may install packages" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends chromium
