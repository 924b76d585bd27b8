//! An nginx in front of all replicas.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tiny_tests::eventually;

use super::web::free;

/// An nginx with a folder of its own, which ends with the test.
pub(crate) struct Nginx {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Where it cannot be killed it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Nginx {
    /// One that balances between these ports; `None`, with a word about it, where there is no nginx.
    pub(crate) fn before(ports: &[u16]) -> Option<Self> {
        let Some(program) = std::env::var_os("TINY_NGINX") else {
            eprintln!("skipped: no nginx (set TINY_NGINX)");
            return None;
        };
        let (folder, port) = (TempDir::new().unwrap(), free(1)[0]);
        // It tries every replica at any time: with the usual 10 s of distrust, the second one to end would find the first still
        // distrusted, and nobody left.
        let servers: String =
            ports.iter().map(|port| format!("server 127.0.0.1:{port} max_fails=0; ")).collect();
        let text =
            CONFIGURATION.replace("PORT", &port.to_string()).replace("SERVERS", servers.trim());
        fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        let process = command.stderr(Stdio::null()).spawn().expect("TINY_NGINX is a program");
        let nginx = Self { process, folder, port };
        eventually("nginx listens", || TcpStream::connect(nginx.address()).ok());
        Some(nginx)
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it has to say of what it could not do. That nobody listens is no error: it asks the other one.
    pub(crate) fn errors(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
        let errors = log.lines().filter(|line| !line.contains("Connection refused")).take(20);
        errors.collect::<Vec<_>>().join("\n")
    }
}

const CONFIGURATION: &str = r#"
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_timeout 1h; keepalive_requests 1000000;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  upstream web { SERVERS keepalive 16; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
      add_header X-Asked $upstream_addr always;
    }
  }
}
"#;
