//! The small files of a plane's folder: who may enter, and by which door.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

/// How clients find the plane and enter it.
pub(super) const KUBECONFIG: &str = "kubeconfig";

/// A file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the file `{}` of the local plane: {why}", path.display())]
pub struct PaperError {
    path: PathBuf,
    why: io::Error,
}

impl PaperError {
    pub(super) fn at(path: PathBuf, why: io::Error) -> Self {
        Self { path, why }
    }
}

/// Reads a file; `None` when it is not there or empty.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<String>, PaperError> {
    let path = folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(PaperError { path, why }),
    }
}

/// Writes a file that only its owner can read, all of it or nothing.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<(), PaperError> {
    let path = folder.join(name);
    let draft = folder.join(format!(".{name}.new"));
    let written = private(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&draft, &path));
    written.map_err(|why| PaperError { path, why })
}

/// Makes a folder that only its owner can enter, unless it is there.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file that only its owner can read, unless it is there.
pub(super) fn touch(path: &Path) -> io::Result<()> {
    match owned().open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// How a new file is opened that only its owner can read.
pub(super) fn owned() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private(path: &Path) -> io::Result<std::fs::File> {
    // What an interrupted write left behind may be readable by others: never reuse it.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    owned().open(path)
}

/// Keeps the folder out of version control: it holds a key and a token.
pub(super) fn ignore(folder: &Path) -> Result<(), PaperError> {
    match read(folder, ".gitignore")? {
        Some(_) => Ok(()),
        None => write(folder, ".gitignore", "*\n"),
    }
}

/// The port of the last time.
pub(super) fn port(folder: &Path) -> Result<Option<u16>, PaperError> {
    Ok(read(folder, "port")?.and_then(|text| text.trim().parse().ok()))
}

/// The token that opens the door, made at the first time.
pub(super) fn token(folder: &Path) -> Result<String, PaperError> {
    if let Some(token) = read(folder, "token")? {
        return Ok(token.trim().to_owned());
    }
    // Two random UUIDs: 244 bits from the system's source of randomness.
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    write(folder, "token", &token)?;
    Ok(token)
}

/// Writes the kubeconfig with which kubectl finds the plane.
pub(super) fn kubeconfig(
    folder: &Path,
    port: u16,
    namespace: &str,
    certificate: &str,
    token: &str,
) -> Result<(), PaperError> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tiny-local",
        "clusters": [{ "name": "tiny-local", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": BASE64.encode(certificate),
        }}],
        "contexts": [{ "name": "tiny-local", "context": {
            "cluster": "tiny-local", "user": "tiny-local", "namespace": namespace,
        }}],
        "users": [{ "name": "tiny-local", "user": { "token": token } }],
    });
    // JSON is YAML; kubectl writes its own style when it changes the file.
    write(folder, KUBECONFIG, &format!("{config:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = token(folder.path()).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(token(folder.path()).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = folder.path().join("token").metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
