//! Asks servers over HTTP, and reads what they send.

mod allowed;
mod auth_header_parser;
mod header;
mod http_client;
mod webhook_verify;

tiny_runtime::main!();
