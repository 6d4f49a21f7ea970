#!/usr/bin/env bash
# A look into one large directory of OpenSSH's sshd: how long it takes, and what memory.
#
#   benches/source.sh [names] [looks]
#
# All files wait for a done-file that does not come, but for ten, which are taken. Prints a table for docs/benchmarks.md:
# the times are those of the gateway's looks, the memory the most that the whole process had. SLUSE names the program
# (default: target/release/sluse).
set -euo pipefail

names=${1:-500000} looks=${2:-3}
. "$(dirname "$0")/both.sh"
python3 - "$dir/up/outbox" "$names" <<'END'
import os
import sys

folder, names = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
for number in range(names):
    open(os.path.join(folder, f"prefill-{number:06}-0199a7c2e1d0.xml"), "w").close()
for number in range(10):
    name = os.path.join(folder, f"prefill-{number:06}-0199a7c2e1d0.xml")
    with open(name, "w") as file:
        file.write("<taken/>")
    open(name + ".done", "w").close()
END
add_source 'after = "leave"' ""

start_openssh
await openssh
start_sluse
await sluse
memory() { awk '/VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/${pids[-1]}/status"; }
before=$(memory)
echo "| names | look | s | memory before MiB | most MiB |"
echo "|---:|---:|---:|---:|---:|"
for ((look = 1; look <= looks; look++)); do
    start=$(now)
    # The first look comes by itself.
    if [ "$look" -gt 1 ]; then "$sluse" source look theirs --config "$dir/sluse.toml" >"$dir/last" 2>&1; fi
    until "$sluse" source list --config "$dir/sluse.toml" 2>"$dir/last" | grep -q "$names files seen"; do sleep 0.2; done
    echo "| $names | $look | $(((($(now) - start) + 500000) / 1000000)) | $before | $(memory) |"
done
