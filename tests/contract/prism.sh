#!/bin/sh
# Runs every call that sluse makes to Altinn against Prism, a stand-in by other hands that knows nothing but Altinn's own
# descriptions of its calls. Needs npm, and the folder of reference files in SLUSE_REFERENCE. `install` only installs Prism.
set -eu
cd "$(dirname "$0")/../.."
[ -x target/interop/node_modules/.bin/prism ] ||
    npm install --silent --no-audit --no-fund --prefix target/interop '@stoplight/prism-cli@^5.14'
[ "${1:-}" != install ] || exit 0
: "${SLUSE_REFERENCE:?names the folder of reference files}"
SLUSE_REQUIRE_ALL=1 cargo test --locked --test it altinn::replay
