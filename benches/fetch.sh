#!/usr/bin/env bash
# Fetches one large file from OpenSSH's sshd with OpenSSH's sftp and as a source of sluse, in turn.
#
#   benches/fetch.sh [MiB] [rounds]
#
# Prints a table of medians for docs/benchmarks.md. OpenSSH's time is that of `sftp get`, login included. Ours goes from asking
# for a look to the inbox holding the file: login, listing, fetching, hashing, and bytes and rows on disk. SLUSE names
# the program (default: target/release/sluse).
set -euo pipefail

size_mib=${1:-1024} rounds=${2:-3}
. "$(dirname "$0")/both.sh"
echo 'max_file_bytes = 100_000_000_000' >>"$dir/sluse.toml"
add_source 'after = "delete"' 'complete = false'

ours() {
    "$sluse" source look theirs --config "$dir/sluse.toml" >"$dir/last" 2>&1 || { cat "$dir/last" "$dir/sluse.log" >&2; return 1; }
    until [ ! -e "$dir/up/outbox/$1.bin" ]; do sleep 0.01; done
}
theirs() { talk openssh "get $dir/up/outbox/$1.bin $dir/back" >/dev/null; }

start_openssh
await openssh
start_sluse
await sluse
for ((round = 0; round < rounds; round++)); do
    head -c "$((size_mib * 1024 * 1024))" /dev/zero | openssl enc -aes-128-ctr -K "0$round" -iv 00 2>/dev/null >"$dir/large"
    for who in theirs ours; do
        cp "$dir/large" "$dir/up/outbox/$round.bin"
        : >"$dir/up/outbox/$round.bin.done"
        sync -f "$dir"
        start=$(now)
        "$who" "$round"
        echo "$who $(($(now) - start))" >>"$dir/times"
        rm -f "$dir/up/outbox/$round.bin"
    done
    cmp "$dir/large" "$dir/back"
done

python3 - "$dir/times" "$size_mib" <<'END'
import statistics
import sys

times = {}
for line in open(sys.argv[1]):
    who, micros = line.split()
    times.setdefault(who, []).append(int(micros) / 1e6)
ours, theirs = statistics.median(times["ours"]), statistics.median(times["theirs"])
print("| MiB | sftp get s | source s | sftp ÷ source |\n|---:|---:|---:|---:|")
print(f"| {sys.argv[2]} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} |")
END
