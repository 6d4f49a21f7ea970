#!/bin/sh
# Runs what sluse sends to Altinn's message API against Prism, a stand-in by other hands that knows nothing but Altinn's own
# description of its calls. Needs npm, and the folder of reference files in SLUSE_REFERENCE.
set -eu
cd "$(dirname "$0")/../.."
: "${SLUSE_REFERENCE:?names the folder of reference files}"
spec="$SLUSE_REFERENCE/altinn3/openapi/altinn-correspondence-v1.corrected.json"
home="target/prism"
mkdir -p "$home"
[ -x "$home/node_modules/.bin/prism" ] || npm install --silent --no-audit --no-fund --prefix "$home" @stoplight/prism-cli@5

"$home/node_modules/.bin/prism" mock -h 127.0.0.1 -p "${PRISM_PORT:-4010}" "$spec" >"$home/log" 2>&1 &
prism=$!
trap 'kill "$prism"' EXIT
tries=0
until grep -q 'Prism is listening' "$home/log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$home/log"; exit 1; }
    sleep 0.2
done
SLUSE_PRISM="http://127.0.0.1:${PRISM_PORT:-4010}" cargo test --locked --test it altinn::contract::prism
