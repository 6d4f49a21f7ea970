#!/usr/bin/env bash
# OpenSSH's sshd with internal-sftp and sluse on this machine, in turn, with OpenSSH's sftp as the client of both.
#
#   benches/sftp.sh [MiB of the large file] [small files] [rounds]
#
# Prints a table of medians for docs/benchmarks.md. Uploads have temporary names and are no XML, so that nothing is judged
# meanwhile; files lie under $TMPDIR. SLUSE names the program (default: target/release/sluse), SLUSE_BENCH_WHAT what of
# "upload download eight small_files" is measured. With SLUSE_BENCH_LINE_MS=50 all of it happens over a line with so long a
# round trip (line.py).
set -euo pipefail

size_mib=${1:-1024} small=${2:-10000} rounds=${3:-3}
sluse=${SLUSE:-$(dirname "$0")/../target/release/sluse}
sshd=$(command -v sshd || echo /usr/sbin/sshd)
dir=$(mktemp -d)
pids=()
finish() { kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"; }
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
mkdir -p "$dir/up/inbox" "$dir/small" "$dir/out"
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
MaxStartups 100
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
"$sluse" serve --config "$dir/sluse.toml" 2>"$dir/sluse.log" & pids+=($!)

if [ -n "${SLUSE_BENCH_LINE_MS:-}" ]; then
    openssh_line=$(free_port) sluse_line=$(free_port)
    "$(dirname "$0")/line.py" "$openssh_line" "$openssh_port" "$SLUSE_BENCH_LINE_MS" & pids+=($!)
    "$(dirname "$0")/line.py" "$sluse_line" "$sluse_port" "$SLUSE_BENCH_LINE_MS" & pids+=($!)
    openssh_port=$openssh_line sluse_port=$sluse_line
fi

head -c "$((size_mib * 1024 * 1024))" /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >"$dir/large"
head -c "$((size_mib * 1024 * 1024 / 8))" "$dir/large" >"$dir/eighth"
for ((n = 0; n < small; n++)); do head -c 10000 "$dir/large" >"$dir/small/$n.part"; done

# run SERVER CIPHER OPTIONS COMMANDS…
run() {
    local server=$1 cipher=$2 options=$3 user port
    if [ "$server" = sluse ]; then user=etat port=$sluse_port; else user=$(id -un) port=$openssh_port; fi
    # shellcheck disable=SC2086 # options are words
    printf '%s\n' "$4" | sftp -F none -q $options -c "$cipher" -i "$dir/key" -P "$port" -b - -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes "$user@127.0.0.1" >"$dir/last" 2>&1 ||
        { cat "$dir/last" "$dir/sshd.log" "$dir/sluse.log" >&2; return 1; }
}

for _ in $(seq 50); do
    if run openssh aes256-gcm@openssh.com '' pwd 2>/dev/null && run sluse aes256-gcm@openssh.com '' pwd 2>/dev/null; then break; fi
    sleep 0.2
done

place() { if [ "$1" = sluse ]; then echo /inbox; else echo "$dir/up/inbox"; fi; }

upload() { run "$1" "$2" '' "put $dir/large $(place "$1")/large.part"; }
download() { run "$1" "$2" '' "get $(place "$1")/large.part $dir/back"; }
eight() {
    local streams=() n
    for n in 1 2 3 4 5 6 7 8; do
        run "$1" "$2" '' "put $dir/eighth $(place "$1")/$n.part" & streams+=($!)
    done
    for n in "${streams[@]}"; do wait "$n"; done
}
small_files() { run "$1" "$2" -f "put -R $dir/small/* $(place "$1")/"; }

# Bash gives microseconds with the decimal sign of the locale.
now() { echo "${EPOCHREALTIME//[.,]/}"; }

measure() {
    local what=$1 server=$2 cipher=$3 start
    # What one server left to the system to write must not keep the disk from the next.
    sync -f "$dir"
    start=$(now)
    "$what" "$server" "$cipher"
    echo "$what $cipher $server $(($(now) - start))" >>"$dir/times"
}

for ((round = 0; round < rounds; round++)); do
    for cipher in aes256-gcm@openssh.com chacha20-poly1305@openssh.com; do
        for what in ${SLUSE_BENCH_WHAT:-upload download eight small_files}; do
            # The cipher hardly matters to small files.
            [ "$what $cipher" != "small_files chacha20-poly1305@openssh.com" ] || continue
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
    "small_files": f"{sys.argv[3]} files of 10 kB, `-f`",
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
