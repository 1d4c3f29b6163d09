#!/usr/bin/env bash
# Installs a Java runtime, which Spark runs on, where there is none and apt-get may install one.
set -euo pipefail
command -v java >/dev/null && exit 0
command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "only root may install packages" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Spark 4 runs on Java 17 and later; the versions that Debian and Ubuntu hold differ.
for version in 17 21 25; do
    apt-get install -qq -y --no-install-recommends "openjdk-$version-jre-headless" && exit 0
done
exit 1
