# One step of the interoperability matrix, done by net-sftp.
require "net/sftp"

host, port, user, key, verb, local, remote, other = ARGV
options = { port: port.to_i, keys: [key], keys_only: true, config: false, verify_host_key: :never, use_agent: false }
Net::SFTP.start(host, user, options) do |sftp|
  case verb
  when "put" then sftp.upload!(local, remote)
  when "resume"
    start = sftp.stat!(remote).size
    handle = sftp.open!(remote, "r+")
    File.open(local, "rb") do |source|
      source.seek(start)
      while (chunk = source.read(32_768))
        sftp.write!(handle, start, chunk)
        start += chunk.bytesize
      end
    end
    sftp.close!(handle)
  when "rename"
    sftp.upload!(local, other)
    sftp.rename!(other, remote)
  when "list" then puts(sftp.dir.entries(remote).map(&:name))
  when "get" then sftp.download!(remote, local)
  when "delete"
    sftp.upload!(local, remote)
    sftp.remove!(remote)
  end
end
