//! Room on the stack for expressions that are nested deeply: those of a hostile flow, at the depth of a long run, in a build without
//! optimization.

/// What the deepest expression may take.
const ROOM: usize = 1536 * 1024;
/// The stack that is made where there is less.
const STACK: usize = 4 * 1024 * 1024;
/// Expressions of less depth fit anywhere.
pub(super) const SHALLOW: usize = 24;

/// Calls `deep`, on a stack of its own where this one has no room.
pub(super) fn with_room<T>(deep: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ROOM, STACK, deep)
}
