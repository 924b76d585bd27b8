//! The smallest module: one component greets, another shows what arrived.

mod hello;
mod show;

#[cfg(test)]
mod tests;

// `new` for `cargo run -- new NAME`, which begins a crate of your own; that one has the plain `main!()`.
tiny_runtime::main!(new);
