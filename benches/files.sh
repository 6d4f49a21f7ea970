#!/usr/bin/env bash
# Writes the files that benches judge, one of about so many megabytes for each profile named:
# benches/files.sh FOLDER MEGABYTES PROFILE...; needs target/release/sluse.
# Profiles: small, medium, attachment, field and escaped as `sluse generate` has them, prefixed (small, with a prefix on
# every tag) and generic (the schema of benches/generic).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 megabytes=$2
shift 2

# In large pieces: the page cache keeps what comes in small ones in small pages, from which reading takes three times as long.
write() { # FILE
    dd of="$1" bs=1M iflag=fullblock status=none
}

# Items per megabyte.
declare -A items=([small]=960 [medium]=116 [attachment]=1.35 [field]=4700 [escaped]=84)

batch() { # PROFILE
    local count
    count=$(awk -v m="$megabytes" -v n="${items[$1]}" 'BEGIN { printf "%d", m * n + 1 }')
    target/release/sluse generate --format prefill --items "$count" --profile "$1" --seed 1 2>/dev/null
}

for profile in "$@"; do
    file=$folder/$profile.xml
    case $profile in
    generic) cargo bench --quiet --locked --no-default-features --bench generic -- "$megabytes" | write "$file" ;;
    # The form's own XML, in CDATA, gets prefixes too; it is text to everyone.
    prefixed) batch small | sed -E 's#<(/?)([A-Za-z])#<\1so:\2#g; s# xmlns="# xmlns:so="#' | write "$file" ;;
    *) batch "$profile" | write "$file" ;;
    esac
done
