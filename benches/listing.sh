#!/usr/bin/env bash
# Lists one large directory of OpenSSH's sshd with internal-sftp and of sluse on this machine, in turn, with OpenSSH's sftp.
#
#   benches/listing.sh [entries] [rounds]
#
# Prints a table of medians for docs/benchmarks.md, login and the client's own work included. The entries are empty files
# there and rows of a stopped gateway's ledger here. SLUSE names the program (default: target/release/sluse).
set -euo pipefail

entries=${1:-100000} rounds=${2:-5}
sluse=${SLUSE:-$(dirname "$0")/../target/release/sluse}
sshd=$(command -v sshd || echo /usr/sbin/sshd)
dir=$(mktemp -d)
pids=()
finish() { kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"; }
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
mkdir -p "$dir/up/receipts" "$dir/out"
openssh_port=$(free_port) sluse_port=$(free_port)

[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
cat >"$dir/sshd_config" <<END
ListenAddress 127.0.0.1
Port $openssh_port
HostKey $dir/host_key
AuthorizedKeysFile $dir/key.pub
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp -d $dir/up
END
"$sshd" -f "$dir/sshd_config" -D -e 2>"$dir/sshd.log" & pids+=($!)

cat >"$dir/sluse.toml" <<END
data_dir = "$dir/data"
[sftp]
listen = "127.0.0.1:$sluse_port"
[log]
filter = "warn"
[partner.etat.login.etat]
public_keys_file = "$dir/key.pub"
[receiver.archive]
kind = "directory"
path = "$dir/out"
[route.etat]
partner = "etat"
format = "prefill"
receiver = "archive"
END
# list SERVER
list() {
    local user port place
    if [ "$1" = sluse ]; then user=etat port=$sluse_port place=/receipts; else user=$(id -un) port=$openssh_port place=$dir/up/receipts; fi
    echo "ls -1 $place" | sftp -F none -q -i "$dir/key" -P "$port" -b - -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes "$user@127.0.0.1" 2>"$dir/last"
}
await() { for _ in $(seq 50); do if list "$1" >/dev/null; then return; fi; sleep 0.2; done; cat "$dir/last" "$dir"/*.log >&2; return 1; }

"$sluse" serve --config "$dir/sluse.toml" 2>"$dir/sluse.log" & first=$!
await sluse
kill "$first" && wait "$first" || true
python3 - "$dir" "$entries" <<'END'
import os
import sqlite3
import sys

folder, entries = sys.argv[1], int(sys.argv[2])
names = [f"prefill-{number:06}.xml.0199a7c2e1d0.final.xml" for number in range(entries)]
for name in names:
    open(os.path.join(folder, "up/receipts", name), "w").close()
ledger = sqlite3.connect(os.path.join(folder, "data/ledger.sqlite"))
row = "INSERT INTO nodes (partner, dir, name, state, size_bytes, scratch_bytes, modified, blob) VALUES ('etat', 'receipts', ?, 1, 0, 0, 1764000000000, ?)"
ledger.executemany(row, ((name, os.urandom(16)) for name in names))
ledger.commit()
END
"$sluse" serve --config "$dir/sluse.toml" 2>"$dir/sluse.log" & pids+=($!)
await sluse
await openssh

# Bash gives microseconds with the decimal sign of the locale.
now() { echo "${EPOCHREALTIME//[.,]/}"; }
for ((round = 0; round < rounds; round++)); do
    for server in openssh sluse; do
        start=$(now)
        list "$server" >"$dir/list"
        echo "$server $(($(now) - start))" >>"$dir/times"
        [ "$(grep -c final "$dir/list")" -eq "$entries" ]
    done
done

python3 - "$dir/times" "$entries" <<'END'
import statistics
import sys

times = {}
for line in open(sys.argv[1]):
    server, micros = line.split()
    times.setdefault(server, []).append(int(micros) / 1e6)
ours, theirs = statistics.median(times["sluse"]), statistics.median(times["openssh"])
print("| entries | OpenSSH s | sluse s | OpenSSH ÷ sluse |\n|---:|---:|---:|---:|")
print(f"| {sys.argv[2]} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} |")
END
