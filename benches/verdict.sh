#!/usr/bin/env bash
# How long after CLOSE the verdict on a large batch is there, with OpenSSH's sftp as the client.
#
#   benches/verdict.sh "attachment:1350 medium:117000" [rounds]
#
# Names profiles and items. Prints a table for docs/benchmarks.md: the times are the ledger's, from the gateway's log. The
# disk must hold three files of each size under $TMPDIR. SLUSE names the program (default: target/release/sluse).
set -euo pipefail

runs=${1:-"attachment:1350 medium:117000"} rounds=${2:-3}
sluse=${SLUSE:-$(dirname "$0")/../target/release/sluse}
dir=$(mktemp -d)
pid=
finish() { [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"; }
trap finish EXIT

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$dir/sluse.toml" <<END
data_dir = "$dir/data"
[sftp]
listen = "127.0.0.1:$port"
[partner.etat.login.etat]
public_keys_file = "$dir/key.pub"
[receiver.archive]
kind = "directory"
path = "$dir/out"
[route.etat]
partner = "etat"
format = "prefill"
receiver = "archive"
max_file_bytes = 100_000_000_000
END

put() {
    printf '%s\n' "$1" | sftp -F none -q -c aes256-gcm@openssh.com -i "$dir/key" -P "$port" -b - -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes etat@127.0.0.1 >"$dir/last" 2>&1
}

echo "| profile | items | MB | upload s | verdict after CLOSE s | judged ahead |"
echo "|---|---:|---:|---:|---:|---|"
for run in $runs; do
    profile=${run%:*} items=${run#*:}
    "$sluse" generate --format prefill --items "$items" --profile "$profile" --seed 1 >"$dir/batch.xml" 2>"$dir/last"
    for ((round = 0; round < rounds; round++)); do
        # A folder and a process for each: what one forwards must not disturb the next.
        rm -rf "$dir/data" "$dir/out" && mkdir "$dir/out"
        "$sluse" serve --config "$dir/sluse.toml" >"$dir/log" 2>&1 & pid=$!
        for _ in $(seq 50); do if put pwd; then break; fi; sleep 0.2; done
        sync -f "$dir"
        put "put $dir/batch.xml /inbox/batch.xml" || { cat "$dir/last" "$dir/log" >&2; exit 1; }
        for _ in $(seq 3000); do if grep -q ': judged shipment' "$dir/log"; then break; fi; sleep 0.02; done
        kill -9 "$pid" && wait "$pid" 2>/dev/null || true
        pid=
        python3 - "$dir/log" "$profile" "$items" "$(stat -c %s "$dir/batch.xml")" <<'END'
import datetime
import re
import sys

log = re.sub(r"\x1b\[[0-9;]*m", "", open(sys.argv[1]).read()).splitlines()
def at(what):
    line = next(line for line in log if what in line)
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()
begun, closed, judged = at("upload begins"), at(": received "), at(": judged shipment")
ahead = "yes" if any("judged while it arrived" in line for line in log) else "no"
print(f"| {sys.argv[2]} | {sys.argv[3]} | {int(sys.argv[4]) / 1e6:.0f} | {closed - begun:.2f} | {judged - closed:.2f} | {ahead} |")
END
    done
done
