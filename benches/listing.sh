#!/usr/bin/env bash
# Lists one large directory of OpenSSH's sshd with internal-sftp and of sluse on this machine, in turn, with OpenSSH's sftp.
#
#   benches/listing.sh [entries] [rounds]
#
# Prints a table of medians for docs/benchmarks.md, login and the client's own work included. The entries are empty files
# there and rows of a stopped gateway's ledger here. SLUSE names the program (default: target/release/sluse).
set -euo pipefail

entries=${1:-100000} rounds=${2:-5}
. "$(dirname "$0")/both.sh"
list() { talk "$1" "ls -1 $(place "$1" receipts)"; }

start_sluse
await sluse
kill "${pids[-1]}" && wait "${pids[-1]}" || true
pids=()
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
start_sluse
start_openssh
await sluse
await openssh

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
