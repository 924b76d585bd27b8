//! An nginx as a test wants it.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tiny_runtime::serde_json::{Value, from_str};
use tokio::time::sleep;

/// An nginx with a folder of its own, which ends with the test.
pub(super) struct Nginx {
    process: Child,
    folder: TempDir,
    pub(super) port: u16,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Where it cannot be killed it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A port that nobody listens on.
fn free() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Nginx {
    /// One that serves this; `PORT` is where it listens, `OTHER` another such port, and `files` the folder of its files.
    pub(super) async fn serve(server: &str) -> Option<Self> {
        Self::listen("listen 127.0.0.1:PORT; listen 127.0.0.1:OTHER;", server, &[]).await
    }

    /// One with files beside its configuration, too.
    pub(super) async fn listen(listen: &str, server: &str, files: &[(&str, &str)]) -> Option<Self> {
        let Some(program) = std::env::var_os("TINY_NGINX").map(PathBuf::from) else {
            eprintln!("skipped: no nginx (set TINY_NGINX)");
            return None;
        };
        // Somebody else may have taken a port before nginx does.
        for _ in 0..3 {
            let (folder, port) = (TempDir::new().expect("a folder"), free());
            fs::create_dir(folder.path().join("files")).expect("a folder");
            let text = CONFIGURATION.replace("LISTEN", listen).replace("SERVER", server);
            let text =
                text.replace("PORT", &port.to_string()).replace("OTHER", &free().to_string());
            for (name, content) in [("nginx.conf", text.as_str())].iter().chain(files) {
                fs::write(folder.path().join(name), content).expect("a file");
            }
            let mut command = Command::new(&program);
            command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
            let process = command.stderr(Stdio::null()).spawn().expect("TINY_NGINX is a program");
            let mut nginx = Self { process, folder, port };
            if nginx.is_up().await {
                return Some(nginx);
            }
        }
        panic!("nginx does not start");
    }

    /// Whether it listens: the file with its number is written after that.
    async fn is_up(&mut self) -> bool {
        for _ in 0..500 {
            if !self.read("nginx.pid").is_empty() {
                return true;
            }
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        eprintln!("{}", self.read("error.log"));
        false
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Serves a file with this content.
    pub(super) fn file(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join("files").join(name), content).expect("a file");
    }

    /// Where it serves a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests it has served, as soon as there are so many; a request is written down when all is sent.
    pub(super) async fn served(&self, count: usize) -> Vec<Value> {
        for _ in 0..1000 {
            let log = self.read("access.log");
            if log.lines().count() >= count {
                return log.lines().map(|line| from_str(line).expect(line)).collect();
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("fewer than {count} requests: {}", self.read("access.log"));
    }
}

const CONFIGURATION: &str = r#"
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {}
http {
  log_format json escape=json '{"connection":$connection,"nth":$connection_requests,"method":"$request_method",'
    '"uri":"$uri","status":$status,"protocol":"$server_protocol","encoding":"$sent_http_content_encoding",'
    '"framing":"$sent_http_transfer_encoding"}';
  access_log access.log json;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  server { LISTEN root files; SERVER }
}
"#;
