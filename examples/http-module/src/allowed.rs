//! Where a request may go: by default to public addresses only, so that nobody who can name a URL reaches what is behind the firewall.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reqwest::Url;

/// Networks and hosts that are allowed besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    networks: Vec<IpNet>,
    /// In small letters; with a leading dot all below it.
    hosts: Vec<String>,
}

impl Allowed {
    /// Reads a list of networks (`10.0.0.0/8`), addresses (`127.0.0.1`), hosts (`api.internal`) and all hosts below one (`*.svc.cluster.local`).
    ///
    /// # Errors
    /// What cannot be one of these.
    pub(crate) fn read(list: &[String]) -> Result<Self, String> {
        let mut allowed = Self::default();
        for entry in list {
            let entry = entry.trim();
            if let Ok(network) = entry.parse::<IpNet>() {
                allowed.networks.push(network);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                allowed.networks.push(address.into());
            } else {
                let (prefix, host) = match entry.strip_prefix("*.") {
                    Some(host) => (".", host),
                    None => ("", entry),
                };
                let is_host = !host.is_empty()
                    && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
                if !is_host {
                    return Err(format!(
                        "`allow` has `{entry}`, which is no network, no address and no host; write 10.0.0.0/8, 127.0.0.1, api.internal or *.internal"
                    ));
                }
                allowed.hosts.push(format!("{prefix}{}", host.to_ascii_lowercase()));
            }
        }
        Ok(allowed)
    }

    /// Whether this name is allowed wherever it leads.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().any(|allowed| match allowed.starts_with('.') {
            true => host.ends_with(allowed.as_str()),
            false => *allowed == host,
        })
    }

    /// Whether a request may go to this address.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether a request may begin with, or be redirected to, this URL. Names are looked at again when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}:` is neither http nor https", url.scheme()));
        }
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) if !self.has_address(address) => Err(refused(bare)),
            Ok(_) => Ok(()),
            Err(_) if host.is_empty() => Err("it names no host".to_owned()),
            Err(_) => Ok(()),
        }
    }
}

/// What is said of an address that is not allowed.
pub(crate) fn refused(host: &str) -> String {
    format!(
        "`{host}` is no public address: a request may go there only if `allow` in the settings names it"
    )
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        // This network, shared by providers, protocol assignments, benchmarks, reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let [.., high, low] = parts;
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Addresses of the other kind in many clothes: compatible, mapped, translated (NAT64), 6to4, Teredo.
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => {
            !address.is_unspecified() && !address.is_loopback() && embedded(high, low)
        }
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => false,
        [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, 0, ..] => false,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast is 2000::/3; all else is local, multicast or nobody's.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allow: &[&str], url: &str) -> Result<(), String> {
        let allow: Vec<String> = allow.iter().map(|entry| (*entry).to_owned()).collect();
        Allowed::read(&allow)?.check(&Url::parse(url).map_err(|e| e.to_string())?)
    }

    /// What has been used to reach what is behind a firewall.
    const VECTORS: [&str; 48] = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.255.255.254/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://0x7f.1/",
        "http://0/",
        "http://0.0.0.0/",
        "http://0.1.2.3/",
        "http://10.0.0.1/",
        "http://10.255.255.255:8080/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://3232235777/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.42.1/",
        "http://100.64.0.1/",
        "http://100.127.255.255/",
        "http://192.0.0.192/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://239.255.255.250/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://192.0.2.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:a9fe:a9fe::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://[ff02::1]/",
    ];

    #[test]
    fn nothing_behind_a_firewall_is_reached_by_its_address() {
        for url in VECTORS {
            let said = check(&[], url).expect_err(url);
            assert!(said.contains("is no public address"), "{url}: {said}");
        }
        for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://example.com/"] {
            assert!(check(&[], url).is_err(), "{url}");
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        for url in [
            "http://1.1.1.1/",
            "https://93.184.216.34:8443/x",
            "http://[2606:4700::1111]/",
            "http://172.32.0.1/",
            "http://100.128.0.1/",
            "http://[64:ff9b::808:808]/",
            "https://example.com/",
            // Names are looked at when they are resolved.
            "http://localhost/",
        ] {
            assert_eq!(check(&[], url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_allowed_passes_and_nothing_beside_it() {
        assert_eq!(check(&["127.0.0.0/8"], "http://127.0.0.1/"), Ok(()));
        assert_eq!(check(&["127.0.0.1"], "http://[::ffff:127.0.0.1]/"), Ok(()));
        assert!(check(&["127.0.0.1"], "http://127.0.0.2/").is_err());
        assert_eq!(check(&["fd00::/8"], "http://[fd00::1]/"), Ok(()));
        let hosts = ["api.internal".to_owned(), "*.svc.cluster.local".to_owned()];
        let allowed = Allowed::read(&hosts).unwrap_or_default();
        for (host, is_allowed) in [
            ("api.internal", true),
            ("API.internal.", true),
            ("x.api.internal", false),
            ("a.b.svc.cluster.local", true),
            ("svc.cluster.local", false),
            ("evilsvc.cluster.local", false),
        ] {
            assert_eq!(allowed.has_host(host), is_allowed, "{host}");
        }
        assert!(Allowed::read(&["http://x/".to_owned()]).is_err());
    }
}
