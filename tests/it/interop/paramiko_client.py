"""One step of the interoperability matrix, done by paramiko."""

import sys

import paramiko

host, port, user, key, verb, local, remote, other = sys.argv[1:9]
ssh = paramiko.SSHClient()
ssh.set_missing_host_key_policy(paramiko.AutoAddPolicy())
waits = dict(timeout=120, banner_timeout=120, auth_timeout=120)
ssh.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False, **waits)
with ssh, ssh.open_sftp() as sftp:
    if verb == "put":
        sftp.put(local, remote)
    elif verb == "resume":
        with open(local, "rb") as source, sftp.open(remote, "ab") as target:
            source.seek(sftp.stat(remote).st_size)
            target.set_pipelined(True)
            while chunk := source.read(32768):
                target.write(chunk)
    elif verb == "rename":
        sftp.put(local, other)
        sftp.posix_rename(other, remote)
    elif verb == "list":
        print("\n".join(sftp.listdir(remote)))
    elif verb == "get":
        sftp.get(remote, local)
    elif verb == "delete":
        sftp.put(local, remote)
        sftp.remove(remote)
