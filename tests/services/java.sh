#!/usr/bin/env bash
# Installs a Java runtime, which Spark runs on, where there is none and apt-get may install one.
set -euo pipefail
command -v java >/dev/null && exit 0
cd "$(dirname "${BASH_SOURCE[0]}")"
./apt-get update
# Spark 4 runs on Java 17 and later; the versions that Debian and Ubuntu hold differ.
for version in 17 21 25; do
    ./apt-get install -y --no-install-recommends "openjdk-$version-jre-headless" && exit 0
done
exit 1
