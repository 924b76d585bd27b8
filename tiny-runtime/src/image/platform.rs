//! What a binary is compiled for.

use std::str::FromStr;

/// An operating system and a processor, as images name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Amd64,
    Arm64,
}

impl Platform {
    const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// That of this machine, if modules can be built for it.
    pub(crate) fn here() -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.processor() == std::env::consts::ARCH)
    }

    /// The processor as images name it.
    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The processor as compilers name it.
    fn processor(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// What rustc calls it. The C library of glibc can be linked statically, and resolves names in an empty root since its version 2.34.
    pub(crate) fn target(self) -> String {
        format!("{}-unknown-linux-gnu", self.processor())
    }

    /// The linker of a machine of another kind.
    pub(crate) fn linker(self) -> String {
        format!("{}-linux-gnu-gcc", self.processor())
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "linux/{}", self.architecture())
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|platform| platform.to_string() == text);
        found.ok_or_else(|| {
            let all = Self::ALL.map(|platform| format!("`{platform}`"));
            format!("modules are built for {}", all.join(" and "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_has_the_name_that_images_give_it() {
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse(), Ok(platform));
        }
        let said = "linux/riscv64".parse::<Platform>().unwrap_err();
        assert_eq!(said, "modules are built for `linux/amd64` and `linux/arm64`");
        assert_eq!(Platform::Arm64.target(), "aarch64-unknown-linux-gnu");
    }
}
