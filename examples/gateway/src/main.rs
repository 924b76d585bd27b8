//! The components of http-module and common-module in one binary.

use {common_module as _, http_module as _};

tiny_runtime::main!();
