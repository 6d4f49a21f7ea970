//! What clients are offered by their version lines.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::sftp::Gateway;

/// The server's list of algorithms for a client that says nothing before it has read the server's version line.
async fn offered(gateway: &Gateway, version: &str) -> String {
    let mut stream = BufReader::new(TcpStream::connect(gateway.address).await.unwrap());
    let mut greeting = String::new();
    stream.read_line(&mut greeting).await.unwrap();
    assert!(greeting.starts_with("SSH-2.0-sluse_") && greeting.ends_with("\r\n"), "{greeting}");
    // In two pieces, as a slow line may bring it.
    let (first, rest) = version.split_at(12);
    stream.write_all(first.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    stream.write_all(format!("{rest}\r\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let length = stream.read_u32().await.unwrap();
    let mut packet = vec![0; length as usize];
    stream.read_exact(&mut packet).await.unwrap();
    String::from_utf8_lossy(&packet).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_has_nothing_better_is_offered_what_it_has() {
    let gateway = Gateway::start().await;
    let good = ["mlkem768x25519-sha256", "curve25519-sha256", "ssh-ed25519", "hmac-sha2-256-etm@openssh.com"];
    let of_nist = ["ecdh-sha2-nistp256", "ecdsa-sha2-nistp256"];
    for (version, has_nist) in [
        ("SSH-2.0-JSCH-0.1.54", true),
        ("SSH-2.0-Ruby/Net::SSH_7.0.1 x86_64-linux-gnu", true),
        ("SSH-2.0-APACHE-SSHD-2.13.2", true),
        ("SSH-2.0-libssh2_1.10.0", false),
        ("SSH-2.0-OpenSSH_7.5", false),
    ] {
        let list = offered(&gateway, version).await;
        assert!(good.iter().all(|name| list.contains(name)), "{version}: {list}");
        assert!(of_nist.iter().all(|name| list.contains(name) == has_nist), "{version}: {list}");
        for never in ["hmac-sha1", "diffie-hellman", "ssh-rsa"] {
            assert!(!list.contains(never), "{version}: {list}");
        }
    }
}
