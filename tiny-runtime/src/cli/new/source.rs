//! Where a new crate gets `tiny-runtime` from.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde_json::Value;

/// The crate `tiny-runtime`, in a folder or in a git repository.
#[derive(Debug)]
pub(super) enum Source {
    Path(PathBuf),
    Git { url: String, rev: Option<String> },
}

impl Source {
    /// The value of a dependency in `Cargo.toml`.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Path(path) => format!("{{ path = {} }}", quoted(&path.to_string_lossy())),
            Self::Git { url, rev: None } => format!("{{ git = {} }}", quoted(url)),
            Self::Git { url, rev: Some(rev) } => {
                format!("{{ git = {}, rev = {} }}", quoted(url), quoted(rev))
            }
        }
    }

    /// The lines of `[workspace.dependencies]`: this source, and the other kind as a comment. `checkout` is the folder of Tiny,
    /// if there is one.
    pub(super) fn lines(&self, checkout: Option<&Path>) -> String {
        let (when, other) = match self {
            Self::Path(_) => {
                let (url, rev) = ("URL".to_owned(), Some("REV".to_owned()));
                ("Others have no such folder, but git", Self::Git { url, rev })
            }
            Self::Git { .. } => {
                let checkout = checkout.unwrap_or(Path::new("../tiny"));
                ("To change Tiny as well", Self::Path(runtime(checkout)))
            }
        };
        format!("tiny-runtime = {}\n# {when}:\n# tiny-runtime = {}", self.value(), other.value())
    }
}

/// The folder of Tiny that a crate in `built` belongs to.
///
/// # Errors
/// When it is no longer there.
pub(super) fn checkout(built: &Path) -> Result<&Path> {
    let whole = |folder: &&Path| runtime(folder).join("Cargo.toml").is_file();
    built.ancestors().find(whole).ok_or_else(|| {
        anyhow!(
            "this binary was built in `{}`, and there is no `tiny-runtime` beside or above it any more; build it again in a \
             checkout of Tiny, or say where Tiny is with --git URL",
            built.display()
        )
    })
}

pub(super) fn runtime(checkout: &Path) -> PathBuf {
    checkout.join("tiny-runtime")
}

/// A string of TOML: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_shows_the_other_kind_as_a_comment() {
        let path = Source::Path("/a \"b\"/tiny-runtime".into());
        assert_eq!(
            path.lines(Some(Path::new("/a"))),
            "tiny-runtime = { path = \"/a \\\"b\\\"/tiny-runtime\" }\n# Others have no such folder, but git:\n# tiny-runtime = { git = \"URL\", rev = \"REV\" }"
        );
        let git = |rev: Option<&str>| Source::Git { url: "U".into(), rev: rev.map(Into::into) };
        assert_eq!(
            git(None).lines(None),
            "tiny-runtime = { git = \"U\" }\n# To change Tiny as well:\n# tiny-runtime = { path = \"../tiny/tiny-runtime\" }"
        );
        assert_eq!(git(Some("R")).value(), "{ git = \"U\", rev = \"R\" }");
    }

    #[test]
    fn the_checkout_lies_above_the_crate() {
        let desk = tempfile::tempdir().unwrap();
        let built = desk.path().join("examples/hello-module");
        let said = checkout(&built).unwrap_err().to_string();
        assert!(said.contains("say where Tiny is with --git URL"), "{said}");
        std::fs::create_dir(desk.path().join("tiny-runtime")).unwrap();
        std::fs::write(desk.path().join("tiny-runtime/Cargo.toml"), "").unwrap();
        assert_eq!(checkout(&built).unwrap(), desk.path());
    }
}
