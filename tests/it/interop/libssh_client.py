"""One step of the interoperability matrix, done by libssh through ssh-python."""

import os
import sys

from ssh.key import import_privkey_file
from ssh.options import HOST, PORT_STR, TIMEOUT, USER
from ssh.session import Session

host, port, user, key, verb, local, remote, other = sys.argv[1:9]
session = Session()
session.options_set(HOST, host)
session.options_set(USER, user)
session.options_set(PORT_STR, port)
session.options_set_int_val(TIMEOUT, 120)
session.connect()
session.userauth_publickey(import_privkey_file(key))
sftp = session.sftp_new()
sftp.init()


def put(name, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC, start=0):
    with open(local, "rb") as source, sftp.open(name, flags, 0o600) as target:
        source.seek(start)
        target.seek64(start)
        while chunk := source.read(32768):
            target.write(chunk)


if verb == "put":
    put(remote)
elif verb == "resume":
    put(remote, os.O_WRONLY, sftp.stat(remote).size)
elif verb == "rename":
    put(other)
    sftp.rename(other, remote)
elif verb == "list":
    with sftp.opendir(remote) as folder:
        for entry in folder:
            print(entry.name.decode())
elif verb == "get":
    with open(local, "wb") as target, sftp.open(remote, os.O_RDONLY, 0) as source:
        for _, chunk in source:
            target.write(chunk)
elif verb == "delete":
    put(remote)
    sftp.unlink(remote)
session.disconnect()
