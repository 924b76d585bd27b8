//! What flows are wired of: ways, waits, lists, triggers and small stores.

use common_module as _;

tiny_runtime::main!();
