#!/usr/bin/env bash
# Instructions per byte of the engine alone, counted by callgrind, so that they do not drift with the machine.
# Usage: benches/instructions.sh [MEGABYTES [PROFILE...]]; needs a release build for the files.
# Two files of each profile are judged, one twice the other, so that what it takes to start and to compile falls out.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-2}
shift $(($# < 1 ? $# : 1))
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=(small generic)
command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bench=$(cargo bench --locked --no-default-features --bench validate --no-run 2>&1 | sed -nE 's/.*\((.*validate-[0-9a-f]+)\).*/\1/p')

instructions() { # SCHEMA FILE
    SLUSE_BENCH_ROUNDS=1 SLUSE_BENCH_SCHEMA=$1 SLUSE_BENCH_FILE=$2 \
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" 2>&1 | sed -nE 's/.*Collected : ([0-9]+).*/\1/p'
}

echo "| profile | MB | instructions per byte |"
echo "|---|---:|---:|"
for profile in "${profiles[@]}"; do
    schema=schemas/prefill/service-owner-2009-10.xsd
    [ "$profile" != generic ] || schema=benches/generic/cases.xsd
    mkdir -p "$folder/once" "$folder/twice"
    benches/files.sh "$folder/once" "$megabytes" "$profile"
    benches/files.sh "$folder/twice" "$((2 * megabytes))" "$profile"
    once=$folder/once/$profile.xml twice=$folder/twice/$profile.xml
    awk -v p="$profile" -v a="$(instructions "$schema" "$once")" -v b="$(instructions "$schema" "$twice")" \
        -v c="$(stat -c %s "$once")" -v d="$(stat -c %s "$twice")" \
        'BEGIN { printf "| %s | %.1f | %.2f |\n", p, d / 1e6, (b - a) / (d - c) }'
done
