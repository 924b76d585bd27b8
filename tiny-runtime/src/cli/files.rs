//! How many files a process may have open.

/// Raises the limit to the most that is allowed, as the runtime of Go does: each connection is a file, and the usual 1 024 are there for
/// programs that use `select`. Where it cannot be raised, it stays.
pub(super) fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let _best_effort = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    #[test]
    fn the_limit_becomes_the_most_that_is_allowed() {
        let before = getrlimit(Resource::Nofile);
        // Other tests run meanwhile, and have enough left.
        let less = before.maximum.map_or(1 << 16, |most| most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(less), ..before }).unwrap();
        raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
