"""One step of the interoperability matrix, done by asyncssh."""

import asyncio
import os
import sys

import asyncssh

host, port, user, key, verb, local, remote, other = sys.argv[1:9]


async def main():
    options = {"username": user, "client_keys": [key], "known_hosts": None, "config": None, "agent_path": None}
    async with asyncssh.connect(host, int(port), **options) as ssh, ssh.start_sftp_client() as sftp:
        if verb == "put":
            await sftp.put(local, remote)
        elif verb == "resume":
            start = (await sftp.stat(remote)).size
            async with sftp.open(remote, "r+b") as target:
                with open(local, "rb") as source:
                    source.seek(start)
                    await target.write(source.read(), start)
        elif verb == "rename":
            await sftp.put(local, other)
            await sftp.rename(other, remote)
        elif verb == "list":
            print("\n".join(await sftp.listdir(remote)))
        elif verb == "get":
            await sftp.get(remote, local)
        elif verb == "delete":
            await sftp.put(local, remote)
            await sftp.remove(remote)


asyncio.run(main())
