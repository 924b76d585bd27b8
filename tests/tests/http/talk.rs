//! A client that sees each connection.

use std::io::{Error, ErrorKind, Result};
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection, with one request after the other.
pub(crate) struct Talk(BufReader<TcpStream>);

/// A whole response.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Said {
    /// A header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// True when no other response follows.
    pub(crate) fn is_last(&self) -> bool {
        self.header("connection") == Some("close")
    }
}

impl Talk {
    pub(crate) async fn to(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks, and waits for the whole response.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Said> {
        self.send(&request(method, path, body)).await?;
        self.said().await
    }

    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        self.0.write_all(text.as_bytes()).await
    }

    /// The next response; an end before its own is an error.
    pub(crate) async fn said(&mut self) -> Result<Said> {
        timeout(PATIENCE, self.response()).await.map_err(|_| ErrorKind::TimedOut)?
    }

    async fn response(&mut self) -> Result<Said> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).await? == 0 {
                return Err(Error::new(
                    ErrorKind::UnexpectedEof,
                    format!("it ends after {head:?}"),
                ));
            }
        }
        let mut said = Said { status: number(head.split(' ').nth(1))?, head, body: String::new() };
        let mut body = vec![0; number(said.header("content-length"))?];
        self.0.read_exact(&mut body).await?;
        said.body = String::from_utf8(body).map_err(Error::other)?;
        Ok(said)
    }

    /// Waits until the other side has closed it, without another word.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let ended = timeout(PATIENCE, self.0.read_u8()).await;
        matches!(ended, Ok(Err(_)))
    }

    /// True when nothing has come.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut one = [0];
        self.0.buffer().is_empty()
            && matches!(self.0.get_ref().try_read(&mut one), Err(e) if e.kind() == ErrorKind::WouldBlock)
    }
}

/// A request as it is sent.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    let framing = match body {
        "" => String::new(),
        body => format!("Content-Length: {}\r\n", body.len()),
    };
    format!("{method} {path} HTTP/1.1\r\nHost: web\r\n{framing}\r\n{body}")
}

fn number<N: FromStr>(text: Option<&str>) -> Result<N> {
    let number = text.and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("{text:?} is no number")))
}
