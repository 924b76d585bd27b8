//! Waiting until something is as it should be.

use tokio::sync::Notify;

/// Tells those who wait that they should look again. In the order in which they came, which a watch channel leaves to chance: runs must
/// be repeatable.
#[derive(Debug, Default)]
pub(super) struct Changes(Notify);

impl Changes {
    /// Something has changed.
    pub(super) fn come(&self) {
        self.0.notify_waiters();
    }

    /// Looks now, and after each change, until something is found.
    pub(super) async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        loop {
            // It hears of every change from here on, also of one that comes while we look.
            let change = self.0.notified();
            if let Some(found) = look() {
                return found;
            }
            change.await;
        }
    }
}
