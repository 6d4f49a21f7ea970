// One step of the interoperability matrix, done by ssh2 for Node.
const fs = require("fs");
const { Client } = require(process.argv[2]);

const [host, port, username, key, verb, local, remote, other] = process.argv.slice(3);
const fail = (error) => {
  console.error(String(error));
  process.exit(1);
};
const ssh = new Client();

ssh.on("error", fail);
ssh.on("ready", () =>
  ssh.sftp((error, sftp) => {
    if (error) fail(error);
    const end = (error) => (error ? fail(error) : ssh.end());
    const next = (step) => (error) => (error ? fail(error) : step());
    const steps = {
      put: () => sftp.fastPut(local, remote, end),
      resume: () =>
        sftp.stat(remote, (error, stats) => {
          if (error) fail(error);
          const target = sftp.createWriteStream(remote, { flags: "r+", start: stats.size });
          target.on("error", fail).on("close", () => end());
          fs.createReadStream(local, { start: stats.size }).pipe(target);
        }),
      rename: () => sftp.fastPut(local, other, next(() => sftp.rename(other, remote, end))),
      list: () =>
        sftp.readdir(remote, (error, list) => {
          if (error) fail(error);
          console.log(list.map((entry) => entry.filename).join("\n"));
          end();
        }),
      get: () => sftp.fastGet(remote, local, end),
      delete: () => sftp.fastPut(local, remote, next(() => sftp.unlink(remote, end))),
    };
    steps[verb]();
  }),
);
ssh.connect({ host, port: Number(port), username, privateKey: fs.readFileSync(key), readyTimeout: 120_000 });
