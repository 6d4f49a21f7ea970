#!/bin/sh
# Unpacks clients of several Debian releases into target/interop/releases, beside the machine's own programs and without
# installing them. They run on the libraries of Debian 12: on another system, and of a release that the machine's mirror
# does not have, RELEASE.absent says why there are none, and the tests skip them with that reason.
set -eu
cd "$(dirname "$0")/../.."
folder=$PWD/target/interop/releases
own=$(. /etc/os-release && printf %s "${VERSION_CODENAME-}") || own=
mkdir -p "$folder"

# The machine's own sources of its release, naming another one: $1, into the folder $2.
write_sources() {
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -r "$file" ] || sed -nE \
            "s/^[[:blank:]]*(deb([[:blank:]]+\[[^]]*\])?[[:blank:]]+[^[:blank:]]+)[[:blank:]]+$own[[:blank:]](.*[[:blank:]])?main([[:blank:]].*)?$/\1 $1 main/p" \
            "$file"
    done >"$2/own.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -r "$file" ] || awk -v RS= -v own="$own" -v release="$1" '{
            count = split($0, lines, "\n"); text = ""; fits = 0
            for (i = 1; i <= count; i++) {
                words = " " lines[i] " "; gsub(/[[:blank:]]+/, " ", words)
                if (lines[i] ~ /^Suites:/ && index(words, " " own " ")) { fits++; lines[i] = "Suites: " release }
                if (lines[i] ~ /^Components:/ && index(words, " main ")) { fits++; lines[i] = "Components: main" }
                if (lines[i] ~ /^Types:/) lines[i] = "Types: deb"
                text = text lines[i] "\n"
            }
            if (fits == 2) print text
        }' "$file"
    done >"$2/own.sources"
}

# What apt keeps, in the folder $1 instead of the machine: it neither sees nor changes what is installed.
write_settings() {
    mkdir -p "$1/sources" "$1/lists/partial" "$1/cache/archives/partial" "$1/packages" "$1/root"
    cat >"$1/settings" <<EOF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$1/sources";
Dir::State::Status "/dev/null";
Dir::State::Lists "$1/lists";
Dir::Cache "$1/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Retries "3";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
EOF
}

absent() {
    echo "$2" >"$folder/$1.absent"
    echo "no clients of $1: $2"
}

# fetch RELEASE PACKAGE...: all of it or nothing.
fetch() {
    release=$1
    shift
    [ "$(cat "$folder/$release/packages" 2>/dev/null)" != "$*" ] || return 0
    rm -rf "$folder/$release" "$folder/$release.absent"
    if [ "$own" != bookworm ]; then
        absent "$release" "they run on Debian 12 alone"
        return 0
    fi
    work=$(mktemp -d "$folder/.fetching.XXXXXX")
    write_settings "$work"
    write_sources "$release" "$work/sources"
    if (
        export LC_ALL=C
        apt-get -c "$work/settings" -q update && cd "$work/packages" && apt-get -c "$work/settings" -q download "$@"
    ) >"$work/log" 2>&1; then
        for package in "$work"/packages/*.deb; do
            dpkg-deb -x "$package" "$work/root"
        done
        echo "$*" >"$work/root/packages"
        mv "$work/root" "$folder/$release"
    elif grep -q "$release.* does not have a Release file" "$work/log"; then
        absent "$release" "the mirror of this machine does not have them"
    else
        cat "$work/log"
        rm -rf "$work"
        return 1
    fi
    rm -rf "$work"
}

fetch bullseye openssh-client libssl1.1
fetch bookworm filezilla libfilezilla34
fetch bookworm-backports openssh-client
fetch trixie putty-tools libjsch-java libmina-sshd-java libslf4j-java
