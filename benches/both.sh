# Sourced by the scripts that compare: OpenSSH's sshd with internal-sftp and sluse, set up in a folder of their own.
#
# Gives $dir, $openssh_port and $sluse_port, and functions to start them, to talk to them and to tell the time. SLUSE names the
# program (default: target/release/sluse). Everything ends and goes with the script.
# shellcheck shell=bash

sluse=${SLUSE:-$(dirname "${BASH_SOURCE[0]}")/../target/release/sluse}
sshd=$(command -v sshd || echo /usr/sbin/sshd)
dir=$(mktemp -d)
pids=()
finish() { kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"; }
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
mkdir -p "$dir/up/inbox" "$dir/up/receipts" "$dir/out"
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

# add_source "SETTINGS" "READY": a source that polls OpenSSH's outbox, and how a file there is ready; before sluse starts.
add_source() {
    mkdir -p "$dir/up/outbox"
    cat >>"$dir/sluse.toml" <<END
[source.theirs]
kind = "polled"
host = "127.0.0.1"
port = $openssh_port
user = "$(id -un)"
host_keys_file = "$dir/host_key.pub"
key_file = "$dir/key"
path = "$dir/up/outbox"
partner = "etat"
route = "etat"
every_ms = 3_600_000
$1
[source.theirs.ready]
stable_ms = 0
done_file = "{name}.done"
$2
END
}

start_openssh() { "$sshd" -f "$dir/sshd_config" -D -e 2>"$dir/sshd.log" & pids+=($!); }
start_sluse() { "$sluse" serve --config "$dir/sluse.toml" 2>"$dir/sluse.log" & pids+=($!); }

# talk SERVER COMMANDS [OPTIONS…]: what OpenSSH's sftp prints.
talk() {
    local server=$1 commands=$2 user port
    shift 2
    if [ "$server" = sluse ]; then user=etat port=$sluse_port; else user=$(id -un) port=$openssh_port; fi
    printf '%s\n' "$commands" | sftp -F none -q "$@" -i "$dir/key" -P "$port" -b - -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes "$user@127.0.0.1" 2>"$dir/last" ||
        { cat "$dir/last" "$dir"/*.log >&2; return 1; }
}

await() { for _ in $(seq 50); do if talk "$1" pwd >/dev/null 2>&1; then return; fi; sleep 0.2; done; talk "$1" pwd; }

# place SERVER DIRECTORY
place() { if [ "$1" = sluse ]; then echo "/$2"; else echo "$dir/up/$2"; fi; }

# Bash gives microseconds with the decimal sign of the locale.
now() { echo "${EPOCHREALTIME//[.,]/}"; }
