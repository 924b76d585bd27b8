//! Serves HTTP, asks other servers, and reads what they send.
//!
//! As a crate it gives its components to whoever links it: see `examples/gateway`.

mod allowed;
mod auth_header_parser;
mod header;
mod http_client;
mod http_server;
mod webhook_verify;
