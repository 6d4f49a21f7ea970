#!/usr/bin/env bash
# OpenSSH's sshd with internal-sftp and sluse on this machine, in turn, with OpenSSH's sftp as the client of both.
#
#   benches/sftp.sh [MiB of the large file] [small files] [rounds]
#
# Prints a table of medians for docs/benchmarks.md. Uploads have temporary names and are no XML, so that nothing is judged
# meanwhile; files lie under $TMPDIR. SLUSE names the program (default: target/release/sluse), SLUSE_BENCH_WHAT what of
# "upload download eight durable_files session_files small_files" is measured. With SLUSE_BENCH_LINE_MS=50 all of it happens over a line with so long a
# round trip (line.py).
set -euo pipefail

size_mib=${1:-1024} small=${2:-10000} rounds=${3:-3}
. "$(dirname "$0")/both.sh"
mkdir "$dir/small"
start_openssh
start_sluse

if [ -n "${SLUSE_BENCH_LINE_MS:-}" ]; then
    openssh_line=$(free_port) sluse_line=$(free_port)
    "$(dirname "$0")/line.py" "$openssh_line" "$openssh_port" "$SLUSE_BENCH_LINE_MS" & pids+=($!)
    "$(dirname "$0")/line.py" "$sluse_line" "$sluse_port" "$SLUSE_BENCH_LINE_MS" & pids+=($!)
    openssh_port=$openssh_line sluse_port=$sluse_line
fi

head -c "$((size_mib * 1024 * 1024))" /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >"$dir/large"
head -c "$((size_mib * 1024 * 1024 / 8))" "$dir/large" >"$dir/eighth"
for ((n = 0; n < small; n++)); do head -c 10000 "$dir/large" >"$dir/small/$n.part"; done

await openssh
await sluse

# run SERVER CIPHER COMMANDS [OPTIONS…]
run() {
    local server=$1 cipher=$2 commands=$3
    shift 3
    talk "$server" "$commands" -c "$cipher" "$@" >/dev/null
}

upload() { run "$1" "$2" "put $dir/large $(place "$1" inbox)/large.part"; }
download() { run "$1" "$2" "get $(place "$1" inbox)/large.part $dir/back"; }
eight() {
    local streams=() n
    for n in 1 2 3 4 5 6 7 8; do
        run "$1" "$2" "put $dir/eighth $(place "$1" inbox)/$n.part" & streams+=($!)
    done
    for n in "${streams[@]}"; do wait "$n"; done
}
small_files() { run "$1" "$2" "put -R $dir/small/* $(place "$1" inbox)/" -f; }
# Each file on disk before the next: sluse's CLOSE sees to that by itself, OpenSSH has to be asked.
durable() {
    local server=$1 cipher=$2 files=$3 ask=()
    [ "$server" = sluse ] || ask=(-f)
    run "$server" "$cipher" "put -R $files $(place "$server" inbox)/" "${ask[@]}"
}
durable_files() { durable "$1" "$2" "$dir/small/*"; }
# The same in ten sessions at once, by the last digit.
session_files() {
    local sessions=() n
    for n in 0 1 2 3 4 5 6 7 8 9; do
        durable "$1" "$2" "$dir/small/*$n.part" & sessions+=($!)
    done
    for n in "${sessions[@]}"; do wait "$n"; done
}

# Every upload of many files is of new ones.
rename_small() {
    python3 - "$dir/small" "$((++renamed))" <<'END'
import os
import sys

folder, number = sys.argv[1:]
for name in os.listdir(folder):
    os.rename(f"{folder}/{name}", f"{folder}/{number}-{name.split('-')[-1]}")
END
}
renamed=0

measure() {
    local what=$1 server=$2 cipher=$3 start
    [[ $what != *_files ]] || rename_small
    # What one server left to the system to write must not keep the disk from the next.
    sync -f "$dir"
    start=$(now)
    "$what" "$server" "$cipher"
    echo "$what $cipher $server $(($(now) - start))" >>"$dir/times"
}

for ((round = 0; round < rounds; round++)); do
    for cipher in aes256-gcm@openssh.com chacha20-poly1305@openssh.com; do
        for what in ${SLUSE_BENCH_WHAT:-upload download eight durable_files session_files small_files}; do
            # The cipher hardly matters to small files.
            [[ "$what $cipher" != *"_files chacha"* ]] || continue
            for server in openssh sluse; do measure "$what" "$server" "$cipher"; done
        done
    done
done
[ ! -e "$dir/back" ] || cmp "$dir/large" "$dir/back"

python3 - "$dir/times" "$size_mib" "$small" <<'END'
import statistics
import sys

names = {
    "upload": f"upload, {sys.argv[2]} MiB",
    "download": f"download, {sys.argv[2]} MiB",
    "eight": f"upload, 8 streams of {int(sys.argv[2]) // 8} MiB",
    "durable_files": f"{sys.argv[3]} files of 10 kB, each durable",
    "session_files": f"{sys.argv[3]} files in 10 sessions, each durable",
    "small_files": f"{sys.argv[3]} files of 10 kB, `-f` with both",
}
times = {}
for line in open(sys.argv[1]):
    what, cipher, server, micros = line.split()
    times.setdefault((what, cipher.split("@")[0]), {}).setdefault(server, []).append(int(micros) / 1e6)
print("| what | cipher | OpenSSH s | sluse s | OpenSSH ÷ sluse |\n|---|---|---:|---:|---:|")
for (what, cipher), both in times.items():
    ours, theirs = statistics.median(both["sluse"]), statistics.median(both["openssh"])
    print(f"| {names[what]} | {cipher} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.2f} |")
END
