#!/usr/bin/env bash
# The peak memory of `sluse validate` on a large file of items of one profile; prints a Markdown table.
# Usage: benches/peak.sh [MEGABYTES [PROFILE...]]; needs a release build and room for the file.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-4300}
shift $(($# < 1 ? $# : 1))
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=(medium)
sluse=target/release/sluse
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "| profile | MB | call | seconds | peak MiB |"
echo "|---|---:|---|---:|---:|"
for profile in "${profiles[@]}"; do
    benches/files.sh "$folder" "$megabytes" "$profile"
    schema=schemas/prefill/service-owner-2009-10.xsd
    calls=("--schema $schema" "--format prefill")
    [ "$profile" != generic ] || calls=("--schema benches/generic/cases.xsd")
    for call in "${calls[@]}"; do
        # shellcheck disable=SC2086 # the call is several words
        used=$({ /usr/bin/time -f "%e %M" "$sluse" validate --quiet $call "$folder/$profile.xml" >/dev/null; } 2>&1 | tail -n 1)
        read -r seconds kib <<<"$used"
        awk -v p="$profile" -v b="$(stat -c %s "$folder/$profile.xml")" -v c="${call%% *}" -v s="$seconds" -v k="$kib" \
            'BEGIN { printf "| %s | %d | %s | %.1f | %.1f |\n", p, b / 1e6, c, s, k / 1024 }'
    done
    rm -f "$folder/$profile.xml"
done
