//! Serves HTTP, asks other servers, and reads what they send.

use http_module as _;

tiny_runtime::main!();
