"""One step of the interoperability matrix, done by libssh2 through ssh2-python."""

import socket
import sys

from ssh2.session import Session
from ssh2.sftp import LIBSSH2_FXF_CREAT, LIBSSH2_FXF_READ, LIBSSH2_FXF_TRUNC, LIBSSH2_FXF_WRITE

host, port, user, key, verb, local, remote, other = sys.argv[1:9]
line = socket.create_connection((host, int(port)))
session = Session()
session.handshake(line)
session.userauth_publickey_fromfile(user, key)
sftp = session.sftp_init()


def put(name, flags=LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, start=0):
    with open(local, "rb") as source, sftp.open(name, flags, 0o600) as target:
        source.seek(start)
        target.seek64(start)
        while chunk := source.read(1_000_000):
            target.write(chunk)


if verb == "put":
    put(remote)
elif verb == "resume":
    put(remote, LIBSSH2_FXF_WRITE, sftp.stat(remote).filesize)
elif verb == "rename":
    put(other)
    sftp.rename(other, remote)
elif verb == "list":
    with sftp.opendir(remote) as folder:
        for _, name, _ in folder.readdir():
            print(name.decode())
elif verb == "get":
    with open(local, "wb") as target, sftp.open(remote, LIBSSH2_FXF_READ, 0) as source:
        for _, chunk in source:
            target.write(chunk)
elif verb == "delete":
    put(remote)
    sftp.unlink(remote)
session.disconnect()
