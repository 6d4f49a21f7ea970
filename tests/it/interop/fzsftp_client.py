"""One step of the interoperability matrix, done by fzsftp, the program that speaks SFTP for FileZilla.

It takes a command a line and tells of events, the first character of which is their kind. It never touches local files:
their bytes go through memory that it shares with its driver, here this script, and there FileZilla.
"""

import mmap
import os
import subprocess
import sys

program, host, port, user, password, verb, local, remote, other = sys.argv[1:10]

REPLY, DONE, ERROR, LIST_ENTRY, ASK_PASSWORD = b"0", b"1", b"2", b"8", b"<"
ASK_HOST_KEY = (b"9", b":", b";")
QUOTA = {b"@": "-0-", b"A": "-1-"}
OPEN, NEXT_BUFFER, FINALIZE = b"K", b"L", b"M"
BUFFER_BYTES = 262_144

COMMANDS = {
    "put": [f'put "{local}" "{remote}"'],
    "resume": [f'reput "{local}" "{remote}"'],
    "rename": [f'put "{local}" "{other}"', f'mv "{other}" "{remote}"'],
    "list": [f'cd "{remote}"', "ls"],
    "get": [f'get "{remote}" "{local}"'],
    "delete": [f'put "{local}" "{remote}"', f'rm "{remote}"'],
}

memory = os.memfd_create("buffer")
os.ftruncate(memory, BUFFER_BYTES)
shared = mmap.mmap(memory, BUFFER_BYTES)
fzsftp = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[memory])


def tell(line):
    fzsftp.stdin.write(line.encode() + b"\n")
    fzsftp.stdin.flush()


def events():
    """Each event with what it says; those about the allowed speed have no line of their own."""
    while kind := fzsftp.stdout.read(1):
        if kind in QUOTA:
            tell(QUOTA[kind])
        else:
            yield kind, fzsftp.stdout.readline().decode().rstrip("\n")


def upload(kind, said, file):
    if kind == OPEN:
        file.seek(int(said))
        tell(f"-{memory} {BUFFER_BYTES}")
    elif kind == NEXT_BUFFER:
        chunk = file.read(BUFFER_BYTES)
        shared[: len(chunk)] = chunk
        tell(f"-0 {len(chunk)}" if chunk else "-")


def download(kind, said, file):
    if kind == OPEN:
        tell(f"-{memory} {BUFFER_BYTES}")
    else:
        file.write(shared[: int(said)])
        tell(f"-0 {BUFFER_BYTES}" if kind == NEXT_BUFFER else "-1")


def done(file):
    """Answers what is asked until a command is done: with a reply, or with how it ended."""
    for kind, said in events():
        if kind == REPLY or kind == DONE:
            return kind == REPLY or said == "1"
        if kind == ERROR:
            print(said, file=sys.stderr)
        elif kind == LIST_ENTRY:
            fzsftp.stdout.readline()
            print(fzsftp.stdout.readline().decode(), end="")
        elif kind in ASK_HOST_KEY:
            fzsftp.stdout.readline()
            tell("y")
        elif kind == ASK_PASSWORD:
            tell(password)
        elif kind in (OPEN, NEXT_BUFFER, FINALIZE):
            (download if verb == "get" else upload)(kind, said, file)
    return False


with open(local, "wb" if verb == "get" else "rb") as file:
    done(file)  # It greets.
    for command in [f'open "{user}@{host}" {port}', *COMMANDS[verb]]:
        tell(command)
        if not done(file):
            sys.exit(1)
# Every command is done. It may be asking for the speed to go on with, and takes the end of its input for a fault then.
fzsftp.stdin.close()
fzsftp.wait()
