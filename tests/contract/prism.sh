#!/bin/sh
# Runs what sluse sends to Altinn's message and broker APIs against Prism, a stand-in by other hands that knows nothing but
# Altinn's own description of its calls. Needs npm, and the folder of reference files in SLUSE_REFERENCE.
set -eu
cd "$(dirname "$0")/../.."
: "${SLUSE_REFERENCE:?names the folder of reference files}"
specs="$SLUSE_REFERENCE/altinn3/openapi"
home="target/prism"
port="${PRISM_PORT:-4010}"
mkdir -p "$home"
[ -x "$home/node_modules/.bin/prism" ] || npm install --silent --no-audit --no-fund --prefix "$home" @stoplight/prism-cli@5

prisms=""
trap 'for prism in $prisms; do kill "$prism"; done' EXIT
# A description and a port.
mock() {
    log="$home/log-$2"
    : >"$log"
    "$home/node_modules/.bin/prism" mock -h 127.0.0.1 -p "$2" "$specs/$1" >"$log" 2>&1 &
    prisms="$prisms $!"
    tries=0
    until grep -q 'Prism is listening' "$log"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { cat "$log"; exit 1; }
        sleep 0.2
    done
}
mock altinn-correspondence-v1.corrected.json "$port"
mock altinn-broker-v1.corrected.json "$((port + 1))"
SLUSE_PRISM="http://127.0.0.1:$port" SLUSE_PRISM_BROKER="http://127.0.0.1:$((port + 1))" \
    cargo test --locked --test it altinn::contract::prism
