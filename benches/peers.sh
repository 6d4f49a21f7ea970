#!/usr/bin/env bash
# sluse against the validators people use today: the same files, in turn, medians of process time; prints Markdown tables.
# Usage: benches/peers.sh [MEGABYTES [ROUNDS [PROFILE...]]]; needs a release build, and installs the peers with apt.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-200} rounds=${2:-5}
shift $(($# < 2 ? $# : 2))
profiles=("$@")
[ ${#profiles[@]} -gt 0 ] || profiles=(small medium attachment field escaped prefixed generic)
sluse=target/release/sluse
cores=$(nproc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

install_missing() {
    local missing=() root=()
    command -v xmllint >/dev/null || missing+=(libxml2-utils)
    command -v javac >/dev/null || missing+=(default-jdk-headless)
    command -v SAX2Count >/dev/null || missing+=(libxerces-c-samples)
    command -v openssl >/dev/null || missing+=(openssl)
    [ -x /usr/bin/time ] || missing+=(time)
    /usr/bin/python3 -c 'import lxml' 2>/dev/null || missing+=(python3-lxml)
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    "${root[@]}" apt-get update -q >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2
}

# Each takes a schema and a file and judges one by the other.
engine() { "$sluse" validate --quiet --threads 1 --schema "$1" "$2"; }
# On a file of four times the size: to start takes 2 or 3 ms, which no other core can share.
engine_large() { engine "$1" "$folder/large/${2##*/}"; }
all_cores() { "$sluse" validate --quiet --schema "$1" "$folder/large/${2##*/}"; }
# What a core more is worth here at best: a run for each, which share no work and wait for nobody.
run_on_each() {
    local runs=() run
    for run in $(seq "$cores"); do
        engine_large "$1" "$2" &
        runs+=($!)
    done
    for run in "${runs[@]}"; do wait "$run" || return 1; done
}
gateway() { "$sluse" validate --quiet --format prefill "$2"; }
xmllint_stream() { xmllint --stream --huge --noout --schema "$1" "$2"; }
xmllint_sax() { xmllint --sax --huge --noout --schema "$1" "$2"; }
java_validator() { java -cp "$folder" Judge "$1" "$2"; }
xerces_c() { SAX2Count -v=always -f "$2.hinted"; }
lxml() { /usr/bin/python3 "$folder/lxml_iterparse.py" "$1" "$2"; }
sha256() { openssl dgst -sha256 "$2"; }
peers=(xmllint_stream xmllint_sax java_validator xerces_c lxml)

prepare() {
    reading=$(cargo bench --locked --no-default-features --bench reading --no-run 2>&1 | sed -nE 's/.*\((.*reading-[0-9a-f]+)\).*/\1/p')
    javac -d "$folder" tests/peers/Judge.java
    cat >"$folder/lxml_iterparse.py" <<'PYTHON'
import sys
from lxml import etree

schema = etree.XMLSchema(file=sys.argv[1])
for _, element in etree.iterparse(sys.argv[2], schema=schema, huge_tree=True):
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
PYTHON
}

# SAX2Count finds schemas by the hints of the document only.
hinted() { # SCHEMA FILE NAMESPACE
    sed -E "0,/ xmlns/s|( xmlns)| xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"$3 file://$PWD/$1\"\1|" \
        "$2" |
        dd of="$2.hinted" bs=1M iflag=fullblock status=none
}

# What is measured goes ahead of all else on the machine, where that is allowed.
ahead() { chrt -f -p 10 "$BASHPID" 2>/dev/null || true; }

# The better of two calls in a row: into the first one the kernel lets those that wait, for a twentieth of a second.
milliseconds() {
    (
        ahead
        least=
        for _ in 1 2; do
            begun=${EPOCHREALTIME/[.,]/}
            "$@" >"$folder/said" 2>&1 || { echo "$* failed: $(head -c 500 "$folder/said")" >&2; exit 1; }
            took=$((${EPOCHREALTIME/[.,]/} - begun))
            [ -n "$least" ] && [ "$least" -le "$took" ] || least=$took
        done
        printf '%d.%03d\n' $((least / 1000)) $((least % 1000))
    )
}

# The middle of what a tool took, or nothing when it failed.
median() {
    [ -s "$folder/$1.ms" ] || return 0
    sort -n "$folder/$1.ms" | awk '{ all[NR] = $1 } END { if (NR) print all[int((NR + 1) / 2)] }'
}

profile() {
    local name=$1 file=$folder/$1.xml tools=(engine engine_large all_cores run_on_each "${peers[@]}" sha256)
    local schema=schemas/prefill/service-owner-2009-10.xsd
    local namespace=http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10
    if [ "$name" = generic ]; then
        schema=benches/generic/cases.xsd namespace=urn:sluse:bench:cases
    else
        tools+=(gateway)
    fi
    benches/files.sh "$folder" "$megabytes" "$name"
    mkdir -p "$folder/large"
    benches/files.sh "$folder/large" "$((4 * megabytes))" "$name"
    hinted "$schema" "$file" "$namespace"
    # Also brings the files into the page cache.
    for tool in engine engine_large; do milliseconds "$tool" "$schema" "$file" >/dev/null || return 0; done
    rm -f "$folder"/*.ms
    for _ in $(seq "$rounds"); do
        for tool in "${tools[@]}"; do
            milliseconds "$tool" "$schema" "$file" >>"$folder/$tool.ms" || true
        done
    done
    local peak read medians=()
    read=$(ahead && SLUSE_BENCH_FILE=$folder/large/$name.xml "$reading" | awk '{ printf "%s%s", sep, $(NF - 3); sep = " | " }')
    peak=$({ /usr/bin/time -f %M "$sluse" validate --quiet --threads 1 --schema "$schema" "$file" >/dev/null; } 2>&1 | tail -n 1)
    for tool in engine "${peers[@]}" gateway sha256 engine_large all_cores run_on_each; do medians+=("$(median "$tool")"); done
    row "$name" "$(stat -c %s "$file")" "$peak" "${medians[@]}" "$read"
    rm -f "$file" "$file.hinted" "$folder/large/$name.xml"
}

# Milliseconds of sluse, the five peers, sluse with the format, SHA-256, and sluse on a larger file, on one core, on all, and
# in a run for each; any but the first may be empty. At last how much faster all cores read than one.
row() {
    awk -v name="$1" -v bytes="$2" -v peak="$3" -v sluse="$4" -v peers="$5|$6|$7|$8|$9" -v gateway="${10}" -v sha="${11}" \
        -v large="${12}" -v all="${13}" -v each="${14}" -v read="${15}" -v cores="$cores" -v shared="$folder/shared" '
    function speed(ms) { return ms == "" ? "-" : sprintf("%d", bytes / 1e3 / (ms > 0 ? ms : 1)) }
    function times(one, other) { return one == "" || other == "" ? "-" : sprintf("%.2f", one / (other > 0 ? other : 1)) }
    function percent(of, ms) { return of == "" || ms == "" ? "-" : sprintf("%d %%", 100 * of / (ms > 0 ? ms : 1)) }
    BEGIN {
        count = split(peers, list, "|")
        printf "| %s | %d | %s |", name, bytes / 1e6, speed(sluse)
        for (i = 1; i <= count; i++) {
            if (list[i] == "" || sluse == "") { printf " - |"; continue }
            ratio = list[i] / (sluse > 0 ? sluse : 1)
            if (i == 1) stream = ratio
            if (least == "" || ratio < least) least = ratio
            printf " %.1f |", ratio
        }
        printf " %.1f | %s | %s | %s | %.1f |\n", least, speed(gateway), speed(sha), percent(sha, gateway), peak / 1024
        printf "| %s | %s | %s | %s | %s |\n", name, times(large, all), times(cores * large, each), percent(each / cores, all), read >>shared
    }'
}

install_missing
prepare
echo "| profile | MB | sluse MB/s | × xmllint --stream | × xmllint --sax | × Java | × Xerces-C++ | × lxml | × the fastest | with hash and index MB/s | SHA-256 MB/s | of SHA-256 | peak MiB |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
for name in "${profiles[@]}"; do profile "$name"; done
echo
echo "| profile | all cores × one | a run on each × one | of that | read only, all × one | read and added up, all × one |"
echo "|---|---:|---:|---:|---:|---:|"
cat "$folder/shared"
