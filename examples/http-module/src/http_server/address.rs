//! Where a server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tiny_runtime::tokio::net::{TcpListener, TcpSocket};

use super::messages::Start;

/// How many clients may wait to be accepted, where the system allows it: one too many asks again only after a second.
const WAITING: u32 = 4096;

/// Bytes of a response that the system keeps for a client who cannot take them yet. It would keep megabytes, of as many clients as there are, and
/// nobody would see how slow they are.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT: u32 = 128 * 1024;

/// The addresses to try, in this order.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    addresses: Vec<SocketAddr>,
    /// Whether any port will do.
    is_any: bool,
}

/// What a `start` asks for. Hosts without a port are names that others know the server by, and say nothing of where it listens.
pub(super) fn wanted(start: &Start) -> Result<Wanted, String> {
    let mut addresses = Vec::new();
    for hostname in &start.hostnames {
        if let Some(address) = address(hostname)? {
            addresses.push(address);
        }
    }
    let is_any = addresses.is_empty();
    if is_any {
        addresses.push(SocketAddr::new(default_host(), 0));
    }
    Ok(Wanted { addresses, is_any })
}

fn address(hostname: &str) -> Result<Option<SocketAddr>, String> {
    if let Ok(address) = hostname.parse() {
        return Ok(Some(address));
    }
    // One of the newer kind has colons of its own, and no port.
    if hostname.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let Some((host, port)) = hostname.rsplit_once(':') else { return Ok(None) };
    let port = port.parse().map_err(|_| {
        format!("`{hostname}` in `hostnames` is no address: write `127.0.0.1:8080`, or a host")
    })?;
    let host = match host {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => default_host(),
    };
    Ok(Some(SocketAddr::new(host, port)))
}

/// Loopback, and in a pod all: nobody else should reach a process on somebody's machine unless that was said.
fn default_host() -> IpAddr {
    match std::env::var_os("KUBERNETES_SERVICE_HOST") {
        Some(_) => Ipv4Addr::UNSPECIFIED.into(),
        None => Ipv4Addr::LOCALHOST.into(),
    }
}

impl Wanted {
    /// Listens on the first that is free. `last` is the port that another replica, or the last process, got where any will do.
    pub(super) fn listen(&self, last: u16) -> Result<TcpListener, String> {
        let before = self.addresses.iter().filter(|_| self.is_any && last != 0);
        let before = before.map(|any| SocketAddr::new(any.ip(), last));
        let mut refused = Vec::new();
        for address in before.chain(self.addresses.iter().copied()) {
            match listen(address) {
                Ok(listener) => return Ok(listener),
                Err(e) => refused.push(format!("{address}: {e}")),
            }
        }
        Err(format!("cannot listen on {}", refused.join(", nor on ")))
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The next process gets the address although connections of the last one are closing. On Windows it would take it from others.
    socket.set_reuseaddr(cfg!(not(windows)))?;
    // Each connection inherits it.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// How others reach what listens there.
pub(super) fn url(address: SocketAddr) -> String {
    let is_loopback = address.ip().to_canonical().is_loopback();
    if !is_loopback && !address.ip().is_unspecified() {
        return format!("http://{address}");
    }
    let pod = std::env::var("POD_IP").ok().and_then(|it| it.parse::<IpAddr>().ok());
    match pod.filter(|_| !is_loopback) {
        Some(pod) => format!("http://{}", SocketAddr::new(pod, address.port())),
        None => format!("http://localhost:{}", address.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_port() -> SocketAddr {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)
    }

    fn start(hostnames: &[&str]) -> Start {
        let hostnames = hostnames.iter().map(|it| (*it).to_owned()).collect();
        Start { hostnames, ..Start::default() }
    }

    #[test]
    fn hosts_with_a_port_are_listened_on() {
        let addresses = |hostnames: &[&str]| -> Vec<String> {
            let wanted = wanted(&start(hostnames));
            wanted.map_or_else(
                |e| vec![e],
                |it| it.addresses.iter().map(ToString::to_string).collect(),
            )
        };
        assert_eq!(addresses(&["localhost:80", "[::1]:81"]), ["127.0.0.1:80", "[::1]:81"]);
        assert_eq!(addresses(&["shop.example:8080"]), ["127.0.0.1:8080"]);
        for host in ["shop.example", "127.0.0.1", "::1"] {
            assert_eq!(addresses(&[host]), ["127.0.0.1:0"], "{host}");
        }
        let no = "`a:b` in `hostnames` is no address: write `127.0.0.1:8080`, or a host";
        assert_eq!(addresses(&["a:b"]), [no]);
    }

    #[tokio::test]
    async fn the_first_free_one_is_taken() -> std::io::Result<()> {
        let (one, two) = (listen(any_port())?, listen(any_port())?);
        let (taken, free) = (one.local_addr()?, two.local_addr()?);
        drop(two);
        let both = Wanted { addresses: vec![taken, free], is_any: false };
        let listener = both.listen(0).map_err(std::io::Error::other)?;
        assert_eq!(listener.local_addr()?, free);
        let said = both.listen(0).err().unwrap_or_default();
        assert!(said.starts_with(&format!("cannot listen on {taken}: ")), "{said}");
        assert!(said.contains(&format!(", nor on {free}: ")), "{said}");
        let any = wanted(&start(&[])).map_err(std::io::Error::other)?;
        assert_ne!(any.listen(free.port()).map_err(std::io::Error::other)?.local_addr()?, free);
        drop(listener);
        assert_eq!(any.listen(free.port()).map_err(std::io::Error::other)?.local_addr()?, free);
        Ok(())
    }

    /// Elsewhere the system allows fewer, as a rule.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn clients_that_come_at_once_wait_to_be_accepted() -> std::io::Result<()> {
        let listener = listen(any_port())?;
        let address = listener.local_addr()?;
        let mut clients = Vec::new();
        for _ in 0..300 {
            let client = tokio::net::TcpStream::connect(address);
            let connected = tokio::time::timeout(std::time::Duration::from_secs(20), client).await;
            clients.push(connected.map_err(|_| std::io::Error::other("nobody lets it in"))??);
        }
        Ok(())
    }
}
