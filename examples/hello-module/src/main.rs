//! The smallest module: one component greets, another shows what arrived.

mod hello;
mod show;

tiny_runtime::main!();
