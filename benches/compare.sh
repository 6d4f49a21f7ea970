#!/usr/bin/env bash
# `sluse validate` against `xmllint --stream` and `openssl sha256`, the same files, in turn; prints a Markdown table.
# Usage: benches/compare.sh [MEGABYTES [ROUNDS]]; needs a release build, xmllint and openssl.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-200} rounds=${2:-5}
sluse=target/release/sluse schema=schemas/prefill/service-owner-2009-10.xsd
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Items per megabyte, by profile.
declare -A items=([small]=960 [medium]=116 [attachment]=1.35 [field]=4700 [escaped]=84)

milliseconds() {
    local begun
    begun=$(date +%s%N)
    "$@" >/dev/null 2>&1
    echo $((($(date +%s%N) - begun) / 1000000))
}

echo "| profile | MB | sluse MB/s | xmllint MB/s | ratio | sha256 MB/s | sluse peak MiB |"
echo "|---|---:|---:|---:|---:|---:|---:|"
for profile in small medium attachment field escaped; do
    file=$folder/$profile.xml
    count=$(awk -v m="$megabytes" -v n="${items[$profile]}" 'BEGIN { printf "%d", m * n + 1 }')
    "$sluse" generate --format prefill --items "$count" --profile "$profile" --seed 1 >"$file" 2>/dev/null
    bytes=$(stat -c %s "$file")
    rm -f "$folder"/t.*
    for _ in $(seq "$rounds"); do
        milliseconds "$sluse" validate --format prefill "$file" >>"$folder/t.sluse"
        milliseconds xmllint --stream --huge --noout --schema "$schema" "$file" >>"$folder/t.xmllint"
        milliseconds openssl dgst -sha256 "$file" >>"$folder/t.sha"
    done
    peak=$({ /usr/bin/time -f %M "$sluse" validate --format prefill "$file" >/dev/null; } 2>&1 | tail -n 1)
    for tool in sluse xmllint sha; do sort -n "$folder/t.$tool" -o "$folder/t.$tool"; done
    middle=$(((rounds + 1) / 2))
    awk -v p="$profile" -v b="$bytes" -v k="$peak" \
        -v s="$(sed -n "${middle}p" "$folder/t.sluse")" -v x="$(sed -n "${middle}p" "$folder/t.xmllint")" \
        -v h="$(sed -n "${middle}p" "$folder/t.sha")" 'BEGIN {
        printf "| %s | %d | %d | %d | %.1f | %d | %.1f |\n",
            p, b / 1e6, b / 1e3 / s, b / 1e3 / x, x / s, b / 1e3 / h, k / 1024 }'
    rm -f "$file"
done
