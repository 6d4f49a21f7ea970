//! The TCP stream of a connection, which we can cut: russh waits for a client it has said good-bye to until the idle time
//! is over, and a client that never hangs up would keep its socket that long. It also leaves out russh's version line
//! where that was said before.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What ends a connection.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// Nothing more is begun; what has begun comes to its end, and is answered.
    pub(super) stop: CancellationToken,
    /// The line is cut. The connection's own task does not look at that while a login is worked on.
    pub(super) cut: CancellationToken,
}

/// A stream that ends when its token is cancelled.
pub(super) struct Line {
    stream: TcpStream,
    cut: CancellationToken,
    waiting: Pin<Box<WaitForCancellationFutureOwned>>,
    /// How many of the first bytes written are not sent, since the client has them.
    said_bytes: usize,
}

impl Line {
    /// A line that lives until `cut`, on which the first bytes have been said.
    pub(super) fn new(stream: TcpStream, cut: CancellationToken, said_bytes: usize) -> Self {
        let waiting = Box::pin(cut.clone().cancelled_owned());
        Self { stream, cut, waiting, said_bytes }
    }

    fn whole(&self) -> io::Result<()> {
        if self.cut.is_cancelled() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // One task reads and writes, so waking it here ends a blocked write, too.
        if self.waiting.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?;
        if self.said_bytes > 0 {
            let left_out = buf.len().min(self.said_bytes);
            self.said_bytes -= left_out;
            return Poll::Ready(Ok(left_out));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_cut_line_reads_its_end_and_takes_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let cut = CancellationToken::new();
        let mut line = Line::new(listener.accept().await.unwrap().0, cut.clone(), 3);
        line.write_all(b"hello").await.unwrap();
        let mut heard = [0; 2];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"lo", "what was said before is not said again");
        let reading = async {
            let mut byte = [0];
            line.read(&mut byte).await
        };
        let (read, ()) = tokio::join!(reading, async { cut.cancel() });
        assert_eq!(read.unwrap(), 0);
        assert_eq!(line.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
