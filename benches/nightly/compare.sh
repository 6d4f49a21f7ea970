#!/usr/bin/env bash
# sluse against the script an agency would write (forward.sh): items a second, both to the Altinn simulator on this machine.
#
#   benches/nightly/compare.sh [ITEMS FOR SLUSE [ITEMS FOR THE SCRIPT]]
#
# The script's time grows as its items do, or faster: it is run on fewer. Needs a release build; installs xml_split with apt.
set -euo pipefail
ours=${1:-1000000} theirs=${2:-5000}
. "$(dirname "$0")/../both.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
if ! command -v xml_split >/dev/null; then
    elevated=()
    [ "$(id -u)" -eq 0 ] || elevated=(sudo)
    "${elevated[@]}" apt-get update -q >&2
    "${elevated[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends xml-twig-tools libxml2-utils curl >&2
fi

openssl genrsa -out "$dir/maskinporten.pem" 2048 2>/dev/null
"$sluse" generate --format prefill --items "$theirs" --profile small --seed 1 >"$dir/theirs.xml" 2>/dev/null
"$sluse" generate --format prefill --items "$ours" --profile small --seed 2 >"$dir/ours.xml" 2>/dev/null

simulator_port=$(free_port)
base="http://127.0.0.1:$simulator_port"
start_simulator() { "$sluse" simulate-altinn --listen "127.0.0.1:$simulator_port" >"$dir/simulator.log" & simulator=$!; pids+=($!); }
# It tells when it ends how many instances it has made.
stop_simulator() {
    kill "$simulator"
    wait "$simulator" || true
    grep -q "^instances: $1, of different keys: " "$dir/simulator.log" || { cat "$dir/simulator.log" >&2; return 1; }
}

start_simulator
sleep 1
begun=$(now)
"$root/benches/nightly/forward.sh" "$dir/theirs.xml" "$root/schemas/prefill/service-owner-2009-10.xsd" "$base" "$dir/maskinporten.pem"
their_time=$(($(now) - begun))
stop_simulator "$theirs"

sed -i '/^\[receiver.archive\]/,$d' "$dir/sluse.toml"
cat >>"$dir/sluse.toml" <<END
[receiver.altinn]
kind = "altinn-app"
platform_url = "$base"
apps_url = "$base"
issuer = "$base/"
token_url = "$base/token"
client_id = "nightly"
kid = "nightly"
key_file = "$dir/maskinporten.pem"
[route.etat]
partner = "etat"
format = "prefill"
receiver = "altinn"
[[route.etat.service]]
code = "5001"
app = "ttd/meld-endring"
[[route.etat.service.data_type]]
format_id = "1243"
data_type = "melding"
[[route.etat.service]]
code = "5002"
app = "ttd/arsoppgave"
[[route.etat.service.data_type]]
format_id = "2087"
data_type = "oppgave"
END
start_simulator
start_sluse
await sluse
# Processor time of a process so far, in seconds.
busy() { awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.1f", ($12 + $13) / hertz }' "/proc/$1/stat"; }
begun=$(now)
talk sluse "put $dir/ours.xml /inbox/ours.xml" >/dev/null
until talk sluse "ls -1 /receipts" | grep -q 'final.xml$'; do sleep 0.5; done
our_time=$(($(now) - begun))
gateway_busy=$(busy "${pids[-1]}") simulator_busy=$(busy "$simulator")
peak=$(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/${pids[-1]}/status")
stop_simulator "$ours"

awk -v o="$ours" -v ot="$our_time" -v t="$theirs" -v tt="$their_time" -v gb="$gateway_busy" -v sb="$simulator_busy" -v peak="$peak" 'BEGIN {
    print "| what | items | seconds | items/s |\n|---|---:|---:|---:|"
    printf "| xmllint, xml_split, curl | %d | %.1f | %.0f |\n", t, tt / 1e6, t / tt * 1e6
    printf "| sluse | %d | %.1f | %.0f |\n", o, ot / 1e6, o / ot * 1e6
    printf "\n%.0f times as many items a second; processor time %.1f s of sluse and %.1f s of the simulator; peak %d MiB\n", (o / ot) / (t / tt), gb, sb, peak
}'
