import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;

/** One step of the interoperability matrix, done by JSch. */
public final class JschClient {
    public static void main(String[] args) throws Exception {
        String host = args[0], user = args[2], password = args[3], verb = args[4];
        String local = args[5], remote = args[6], other = args[7];
        Session session = new JSch().getSession(user, host, Integer.parseInt(args[1]));
        session.setConfig("StrictHostKeyChecking", "no");
        session.setPassword(password);
        session.connect(120_000);
        ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
        sftp.connect(120_000);
        switch (verb) {
            case "put" -> sftp.put(local, remote);
            case "resume" -> sftp.put(local, remote, ChannelSftp.RESUME);
            case "rename" -> {
                sftp.put(local, other);
                sftp.rename(other, remote);
            }
            case "list" -> sftp.ls(remote).forEach(entry -> System.out.println(entry));
            case "get" -> sftp.get(remote, local);
            case "delete" -> {
                sftp.put(local, remote);
                sftp.rm(remote);
            }
            default -> throw new IllegalArgumentException(verb);
        }
        sftp.disconnect();
        session.disconnect();
    }
}
