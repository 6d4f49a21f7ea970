import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClient.OpenMode;
import org.apache.sshd.sftp.client.SftpClientFactory;

/** One step of the interoperability matrix, done by Apache MINA SSHD. */
public final class MinaClient {
    private static final Duration LONGEST = Duration.ofSeconds(120);

    public static void main(String[] args) throws Exception {
        String host = args[0], user = args[2], password = args[3], verb = args[4];
        String remote = args[6], other = args[7];
        Path local = Path.of(args[5]);
        try (SshClient ssh = SshClient.setUpDefaultClient()) {
            ssh.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
            ssh.start();
            try (ClientSession session = ssh.connect(user, host, Integer.parseInt(args[1])).verify(LONGEST).getSession()) {
                session.addPasswordIdentity(password);
                session.auth().verify(LONGEST);
                try (SftpClient sftp = SftpClientFactory.instance().createSftpClient(session)) {
                    step(sftp, verb, local, remote, other);
                }
            }
        }
    }

    private static void step(SftpClient sftp, String verb, Path local, String remote, String other) throws Exception {
        switch (verb) {
            case "put" -> put(sftp, local, remote);
            case "resume" -> write(sftp, local, remote, sftp.stat(remote).getSize(), EnumSet.of(OpenMode.Write));
            case "rename" -> {
                put(sftp, local, other);
                sftp.rename(other, remote);
            }
            case "list" -> sftp.readDir(remote).forEach(entry -> System.out.println(entry.getFilename()));
            case "get" -> {
                try (var source = sftp.read(remote)) {
                    Files.copy(source, local, StandardCopyOption.REPLACE_EXISTING);
                }
            }
            case "delete" -> {
                put(sftp, local, remote);
                sftp.remove(remote);
            }
            default -> throw new IllegalArgumentException(verb);
        }
    }

    private static void put(SftpClient sftp, Path local, String name) throws Exception {
        try (var target = sftp.write(name)) {
            Files.copy(local, target);
        }
    }

    private static void write(SftpClient sftp, Path local, String name, long start, Set<OpenMode> modes) throws Exception {
        try (var source = Files.newInputStream(local); var handle = sftp.open(name, modes)) {
            source.skipNBytes(start);
            byte[] chunk = new byte[32_768];
            for (int count; (count = source.read(chunk)) > 0; start += count) {
                sftp.write(handle, start, chunk, 0, count);
            }
        }
    }
}
