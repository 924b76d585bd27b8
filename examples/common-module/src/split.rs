//! `split`: one after the other.

use tiny_runtime::prelude::*;

/// A list.
#[message]
pub(crate) struct List {
    /// What is handed on with each element.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// The elements.
    #[ui(configurable)]
    pub(crate) array: Vec<Json>,
}

/// An element of a list.
#[message]
pub(crate) struct Element {
    /// What came with the list.
    #[ui(shared)]
    pub(crate) context: Json,
    /// The element.
    #[ui(shared)]
    pub(crate) item: Json,
    /// Its place in the list, from 0.
    pub(crate) index: u64,
    /// How many the list has.
    #[ui(minimum = 1)]
    pub(crate) total: u64,
}

/// Sends the elements of a list one after the other.
///
/// Each waits for what the one before has caused. The first reply, or the first error, ends it and is the answer: what the flow behind
/// answers is what was looked for.
#[component(name = "split", tags = ["common", "list"])]
#[derive(Default)]
pub(crate) struct Split;

#[component]
impl Split {
    /// A list, and what goes along with each of its elements.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: List) -> Result {
        let total = message.array.len() as u64;
        for (index, item) in (0..).zip(message.array) {
            let context = message.context.clone();
            let reply = self.out(ctx, Element { context, item, index, total }).await?;
            if !reply.is_none() {
                return Ok(reply);
            }
        }
        Ok(Reply::none())
    }

    /// An element.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Element) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    fn list(items: &[u64]) -> List {
        List { context: context("a"), array: items.iter().map(|item| json!(item).into()).collect() }
    }

    #[tiny_runtime::test]
    async fn elements_come_in_order_with_their_places() -> Result<()> {
        let bench = Bench::<Split>::new();
        assert!(bench.send(Split::INPUT, list(&[7, 8, 9])).await?.is_none());
        let sent = bench.sent(Split::OUT);
        let told: Vec<_> = sent.iter().map(|it| (it.item.clone().into_value(), it.index)).collect();
        assert_eq!(told, [(json!(7), 0), (json!(8), 1), (json!(9), 2)]);
        assert!(sent.iter().all(|it| it.total == 3 && it.context == context("a")));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn the_first_reply_or_error_ends_it() -> Result<()> {
        let bench = Bench::<Split>::new();
        bench.reply(Split::OUT, "found".to_owned());
        let reply = bench.send(Split::INPUT, list(&[1, 2])).await?;
        assert_eq!(reply.to_json()?, Some(json!("found")));
        assert_eq!(bench.sent(Split::OUT).len(), 1);
        let bench = Bench::<Split>::new();
        bench.fail(Split::OUT, Error::permanent("no"));
        assert!(bench.send(Split::INPUT, list(&[1, 2])).await.is_err());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn an_empty_list_sends_nothing() -> Result<()> {
        let bench = Bench::<Split>::new();
        assert!(bench.send(Split::INPUT, list(&[])).await?.is_none());
        assert!(bench.sent(Split::OUT).is_empty());
        Ok(())
    }
}
