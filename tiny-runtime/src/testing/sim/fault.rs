//! What goes wrong in a simulation: planned by a test, or thrown by its dice.

use std::time::Duration;

use serde_json::Value;

/// What happens to a message at a port.
///
/// ```
/// use std::time::Duration;
/// use tiny_runtime::testing::Fault;
///
/// let twice = Fault::transient("the server is busy").times(2);
/// let third = Fault::delay(Duration::from_secs(3)).after(2).times(1);
/// # let _ = (twice, third);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) act: Act,
    /// Messages that pass before the first one is hit.
    skip: u32,
    /// Messages that are hit; `None` for all that follow.
    left: Option<u32>,
}

/// What a faulty port does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Fails before the component sees the message.
    Transient(String),
    /// The same for good.
    Permanent(String),
    Panic(String),
    /// Hands the message on after so long.
    Delay(Duration),
    /// Never ends by itself.
    Hang,
    /// The component does its work, and then it fails: what it did is done.
    Late(String),
    /// Answers in the component's place.
    Answer(Option<Value>),
}

impl Fault {
    fn of(act: Act) -> Self {
        Self { act, skip: 0, left: None }
    }

    /// The message fails in a way that may pass: the engine tries again.
    pub fn transient(text: impl Into<String>) -> Self {
        Self::of(Act::Transient(text.into()))
    }

    /// The message fails for good.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self::of(Act::Permanent(text.into()))
    }

    /// The component panics.
    pub fn panic(text: impl Into<String>) -> Self {
        Self::of(Act::Panic(text.into()))
    }

    /// The message comes later.
    pub fn delay(wait: Duration) -> Self {
        Self::of(Act::Delay(wait))
    }

    /// The message is never answered.
    pub fn hang() -> Self {
        Self::of(Act::Hang)
    }

    /// The component does its work, and fails in a way that may pass: the engine does it again.
    pub fn late(text: impl Into<String>) -> Self {
        Self::of(Act::Late(text.into()))
    }

    /// The port answers so, and the component never sees the message; `None` is no reply.
    pub fn answer(reply: impl Into<Option<Value>>) -> Self {
        Self::of(Act::Answer(reply.into()))
    }

    /// So many messages are hit, and no more; without this, all are.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }

    /// So many messages pass before the first one is hit.
    #[must_use]
    pub fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    /// What happens to the next message.
    pub(super) fn next(&mut self) -> Option<Act> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(self.act.clone())
    }
}

/// How likely each fault is, of a thousand messages.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Fails before its work, in a way that may pass.
    pub transient: u32,
    /// Fails after its work, in a way that may pass.
    pub late: u32,
    /// Fails for good.
    pub permanent: u32,
    /// Panics.
    pub panic: u32,
    /// Comes up to ten seconds later.
    pub delay: u32,
    /// Never ends.
    pub hang: u32,
    /// Writes of state that fail, or that somebody else is ahead of.
    pub store: u32,
}

impl Weather {
    /// Nothing goes wrong.
    pub const CALM: Self =
        Self { transient: 0, late: 0, permanent: 0, panic: 0, delay: 0, hang: 0, store: 0 };

    /// Much goes wrong.
    pub const ROUGH: Self =
        Self { transient: 60, late: 40, permanent: 15, panic: 15, delay: 150, hang: 3, store: 50 };

    pub(super) fn throw(&self, dice: &mut fastrand::Rng) -> Option<Act> {
        let thrown = dice.u32(0..1000);
        let acts = [
            (self.transient, Act::Transient("the weather is bad".into())),
            (self.late, Act::Late("the weather became bad".into())),
            (self.permanent, Act::Permanent("the weather is too bad".into())),
            (self.panic, Act::Panic("struck by lightning".into())),
            (self.delay, Act::Delay(Duration::from_millis(dice.u64(0..10_000)))),
            (self.hang, Act::Hang),
        ];
        let mut below = 0;
        let mut acts = acts.into_iter();
        acts.find(|(share, _)| {
            below += share;
            thrown < below
        })
        .map(|(_, act)| act)
    }
}
