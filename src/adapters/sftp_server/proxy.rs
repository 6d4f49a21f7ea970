//! The PROXY protocol, versions 1 and 2: who a connection is from when a load balancer stands between.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ppp::{HeaderResult, PartialResult as _, v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Takes the header off the stream; the address it names, or the balancer's own for its health checks.
pub(super) async fn origin(stream: &mut TcpStream, balancer: SocketAddr) -> io::Result<SocketAddr> {
    let mut header = vec![0; MAX_HEADER_BYTES];
    for _look in 0..MAX_LOOKS {
        let count = stream.peek(&mut header).await?;
        let came = header.get(..count).unwrap_or_default();
        let parsed = HeaderResult::parse(came);
        if parsed.is_incomplete() && count > 0 && count < MAX_HEADER_BYTES {
            sleep(LOOK_AGAIN).await;
            continue;
        }
        let (length, origin) = read(&parsed).ok_or(io::ErrorKind::InvalidData)?;
        let mut taken = vec![0; length];
        stream.read_exact(&mut taken).await?;
        return Ok(origin.unwrap_or(balancer));
    }
    // The end of a stream does not show behind bytes that are only looked at.
    Err(io::ErrorKind::TimedOut.into())
}

/// The length of the header that the bytes begin with, and the address in it.
pub(super) fn header(bytes: &[u8]) -> Option<(usize, Option<SocketAddr>)> {
    read(&HeaderResult::parse(bytes))
}

/// The length of a header and the address in it; `None` when it is no header.
fn read(parsed: &HeaderResult<'_>) -> Option<(usize, Option<SocketAddr>)> {
    match parsed {
        // The parser is content with less than the line's end that version 1 asks for.
        HeaderResult::V1(Ok(header)) if !header.header.ends_with("\r\n") => None,
        HeaderResult::V1(Ok(header)) => Some((header.header.len(), version_1(&header.addresses))),
        HeaderResult::V2(Ok(header)) => {
            let proxied = header.command == v2::Command::Proxy;
            Some((header.header.len(), version_2(&header.addresses).filter(|_| proxied)))
        }
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => None,
    }
}

fn version_1(addresses: &v1::Addresses) -> Option<SocketAddr> {
    match addresses {
        v1::Addresses::Tcp4(pair) => Some((pair.source_address, pair.source_port).into()),
        v1::Addresses::Tcp6(pair) => Some((pair.source_address, pair.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

fn version_2(addresses: &v2::Addresses) -> Option<SocketAddr> {
    match addresses {
        v2::Addresses::IPv4(pair) => Some((pair.source_address, pair.source_port).into()),
        v2::Addresses::IPv6(pair) => Some((pair.source_address, pair.source_port).into()),
        v2::Addresses::Unix(_) | v2::Addresses::Unspecified => None,
    }
}

/// Room for a version 2 header with a few extensions.
const MAX_HEADER_BYTES: usize = 1024;
/// Two seconds for a header that has begun.
const MAX_LOOKS: u32 = 400;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    async fn told(header: &[u8]) -> (io::Result<SocketAddr>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, balancer) = listener.accept().await.unwrap();
        let send = async {
            for part in header.chunks(7) {
                client.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            client.shutdown().await.unwrap();
        };
        let (origin, ()) = tokio::join!(origin(&mut stream, balancer), send);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        (origin, rest)
    }

    #[tokio::test]
    async fn both_versions_name_the_address_and_leave_the_rest() {
        let (origin, rest) = told(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 22\r\nSSH-2.0-x\r\n").await;
        assert_eq!((origin.unwrap().to_string().as_str(), &rest[..]), ("192.0.2.7:4711", &b"SSH-2.0-x\r\n"[..]));
        let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        second.extend([192, 0, 2, 8, 192, 0, 2, 1, 0x12, 0x67, 0, 22]);
        second.extend(b"SSH");
        let (origin, rest) = told(&second).await;
        assert_eq!((origin.unwrap().to_string().as_str(), &rest[..]), ("192.0.2.8:4711", &b"SSH"[..]));
    }

    #[tokio::test]
    async fn a_health_check_is_the_balancers_own_and_anything_else_is_no_header() {
        let (origin, _) = told(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").await;
        assert!(origin.unwrap().ip().is_loopback());
        for odd in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"", b"PROXY TCP4 192.0.2.7", b"PROXY UNKNOWN \n"] {
            assert!(told(odd).await.0.is_err(), "{odd:?}");
        }
    }
}
