//! Proxies, and what they tell of who asks.

use std::net::IpAddr;

use hyper::header::HeaderMap;
use ipnet::IpNet;

/// Proxies that are believed.
#[derive(Default)]
pub(super) struct Trusted(Vec<IpNet>);

impl Trusted {
    pub(super) fn read(texts: &[String]) -> Result<Self, String> {
        let network = |text: &String| {
            let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
            text.parse::<IpNet>().ok().or_else(one).ok_or_else(|| {
                format!("`{text}` in `trustedProxies` is no network and no address: write `10.0.0.0/8` or `10.1.2.3`")
            })
        };
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks, and over which scheme: of a trusted peer, the last one of its list that is not trusted itself.
    pub(super) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, &'static str) {
        if !self.has(peer) {
            return (peer, "http");
        }
        let is_https = headers.get("x-forwarded-proto").is_some_and(|it| it.as_bytes() == b"https");
        let scheme = if is_https { "https" } else { "http" };
        let said = headers.get_all("x-forwarded-for").iter().filter_map(|it| it.to_str().ok());
        let said: Vec<&str> = said.flat_map(|it| it.split(',')).map(str::trim).collect();
        let mut origin = peer;
        for text in said.into_iter().rev() {
            let Ok(address) = text.parse::<IpAddr>() else { break };
            origin = address.to_canonical();
            if !self.has(origin) {
                break;
            }
        }
        (origin, scheme)
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn origin(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<String> = trusted.iter().map(|it| (*it).to_owned()).collect();
        let mut headers = HeaderMap::new();
        for text in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(text).unwrap());
        }
        headers.append("x-forwarded-proto", HeaderValue::from_static("https"));
        let trusted = Trusted::read(&trusted).unwrap_or_default();
        let (origin, scheme) = trusted.origin(peer.parse().unwrap(), &headers);
        format!("{scheme}://{origin}")
    }

    #[test]
    fn only_a_trusted_proxy_tells_who_asks() {
        assert_eq!(origin(&[], "127.0.0.1", &["1.1.1.1"]), "http://127.0.0.1");
        let proxies = ["127.0.0.1", "10.0.0.0/8"];
        assert_eq!(origin(&proxies, "9.9.9.9", &["1.1.1.1"]), "http://9.9.9.9");
        assert_eq!(origin(&proxies, "127.0.0.1", &["1.1.1.1"]), "https://1.1.1.1");
        // What stands before the last that is not trusted, anybody may have written.
        let forged = ["6.6.6.6, 1.1.1.1", "10.1.2.3"];
        assert_eq!(origin(&proxies, "127.0.0.1", &forged), "https://1.1.1.1");
        assert_eq!(origin(&proxies, "127.0.0.1", &["nonsense, 10.1.2.3"]), "https://10.1.2.3");
        assert_eq!(origin(&proxies, "127.0.0.1", &[]), "https://127.0.0.1");
        let no = "`x` in `trustedProxies` is no network and no address: write `10.0.0.0/8` or `10.1.2.3`";
        assert_eq!(Trusted::read(&["x".into()]).err().as_deref(), Some(no));
    }
}
