#!/usr/bin/env bash
# Installs Chromium, which pages are opened in, where there is none and apt-get may install one.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
cd "$(dirname "${BASH_SOURCE[0]}")"
./apt-get update
./apt-get install -y --no-install-recommends chromium
