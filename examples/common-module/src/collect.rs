//! `collect`: all of a group.

use std::collections::BTreeMap;

use tiny_runtime::jiff::{SignedDuration, Timestamp};
use tiny_runtime::prelude::*;

/// What is kept while a group is not complete.
#[message(default)]
pub(crate) struct CollectSettings {
    /// How long a group may take, in seconds; what is left of it then is dropped.
    #[ui(minimum = 1, maximum = 86_400)]
    pub(crate) timeout_seconds: u32,
    /// How many groups may be open at once.
    #[ui(minimum = 1, maximum = 10_000)]
    pub(crate) max_groups: u32,
}

impl Default for CollectSettings {
    fn default() -> Self {
        Self { timeout_seconds: 300, max_groups: 100 }
    }
}

/// One of a group.
#[message]
pub(crate) struct Item {
    /// What all of a group have in common.
    #[ui(configurable)]
    pub(crate) group_key: String,
    /// Its place, from 0.
    #[ui(configurable)]
    pub(crate) index: u64,
    /// How many the group has.
    #[ui(configurable, minimum = 1)]
    pub(crate) total: u64,
    /// The item.
    #[ui(configurable)]
    pub(crate) item: Json,
    /// What is handed on; that of the item which completes the group.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) context: Json,
}

/// All of a group.
#[message]
pub(crate) struct Collected {
    /// What came with the last item.
    #[ui(shared)]
    pub(crate) context: Json,
    /// The items, in the order of their places.
    #[ui(shared)]
    pub(crate) items: Vec<Json>,
}

/// Groups that are not complete, by their keys.
#[message]
#[derive(Default)]
pub(crate) struct Open {
    /// The groups.
    pub(crate) groups: BTreeMap<String, Group>,
}

/// A group that is not complete.
#[message]
pub(crate) struct Group {
    /// When its first item came.
    pub(crate) since: Timestamp,
    /// What has come, by place.
    pub(crate) items: BTreeMap<u64, Json>,
}

/// Waits for all items of a group, and sends them as one list: the other end of `split`.
///
/// What has come survives restarts. The reply of the flow behind goes to the item that completes the group; when that flow fails, the
/// group stays complete, and the next attempt sends it again.
#[component(name = "collect", tags = ["common", "list"])]
#[derive(Default)]
pub(crate) struct Collect {
    settings: Settings<CollectSettings>,
    open: State<Open>,
}

impl Collect {
    /// Takes in an item; gives the group where that makes it complete, or it was already.
    async fn take(&self, message: &Item) -> Result<Option<Vec<Json>>> {
        let settings = self.settings.get();
        let now = Timestamp::now();
        let longest = SignedDuration::from_secs(settings.timeout_seconds.into());
        let taken = self.open.update(|open| {
            open.groups.retain(|_, group| now.duration_since(group.since) < longest);
            let is_new = !open.groups.contains_key(&message.group_key);
            if is_new && open.groups.len() >= settings.max_groups as usize {
                return Err(open.groups.len());
            }
            let empty = || Group { since: now, items: BTreeMap::new() };
            let group = open.groups.entry(message.group_key.clone()).or_insert_with(empty);
            group.items.insert(message.index, message.item.clone());
            let is_complete = group.items.len() as u64 >= message.total;
            Ok(is_complete.then(|| group.items.values().cloned().collect()))
        });
        taken.await?.map_err(|groups| {
            Error::retry_after(
                format!("{groups} groups are open, and no more may be"),
                std::time::Duration::from_secs(1),
            )
        })
    }
}

#[component]
impl Collect {
    /// One of a group.
    #[port(target, position = "left")]
    async fn item(&self, ctx: &Ctx, message: Item) -> Result {
        if message.index >= message.total {
            return Err(Error::permanent(format!(
                "place {} is none of {}: places begin at 0",
                message.index, message.total
            )));
        }
        let Some(items) = self.take(&message).await? else { return Ok(Reply::none()) };
        let reply = self.response(ctx, Collected { context: message.context, items }).await?;
        self.open.update(|open| drop(open.groups.remove(&message.group_key))).await?;
        Ok(reply)
    }

    /// All of a group.
    #[port(source, position = "right")]
    async fn response(&self, ctx: &Ctx, message: Collected) -> Result;

    /// An item that could not be taken in.
    #[port(error, position = "bottom")]
    async fn error(&self, ctx: &Ctx, failure: Failure<Item>) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    fn item(group: &str, index: u64, total: u64) -> Item {
        let item = json!(format!("{group}{index}")).into();
        Item { group_key: group.into(), index, total, item, context: context(group) }
    }

    #[tiny_runtime::test]
    async fn a_group_is_sent_when_its_last_item_has_come_in_any_order() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.reply(Collect::RESPONSE, "whole".to_owned());
        for (group, index) in [("a", 2), ("b", 0), ("a", 0), ("a", 0)] {
            assert!(bench.send(Collect::ITEM, item(group, index, 3)).await?.is_none());
        }
        let reply = bench.send(Collect::ITEM, item("a", 1, 3)).await?;
        assert_eq!(reply.to_json()?, Some(json!("whole")));
        let sent = bench.sent(Collect::RESPONSE);
        assert_eq!(sent[0].items, ["a0", "a1", "a2"].map(|it| Json::from(json!(it))));
        assert_eq!(sent[0].context, context("a"));
        assert_eq!(bench.component().open.get().groups.len(), 1, "`b` is open");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_has_come_survives_a_restart() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.send(Collect::ITEM, item("a", 0, 2)).await?.ignore();
        let next = bench.restart();
        next.send(Collect::ITEM, item("a", 1, 2)).await?.ignore();
        assert_eq!(next.sent(Collect::RESPONSE)[0].items.len(), 2);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_group_whose_flow_failed_is_sent_again() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.fail(Collect::RESPONSE, Error::permanent("no"));
        assert!(bench.send(Collect::ITEM, item("a", 0, 1)).await.is_err());
        bench.reply(Collect::RESPONSE, 1_u64);
        assert!(!bench.send(Collect::ITEM, item("a", 0, 1)).await?.is_none());
        assert!(bench.component().open.get().groups.is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn it_is_bounded() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.settings_json(json!({"maxGroups": 1}));
        let component = bench.component();
        assert!(component.take(&item("a", 0, 2)).await?.is_none());
        let error = component.take(&item("b", 0, 2)).await.unwrap_err();
        assert!(
            !error.is_permanent() && error.to_string().contains("1 groups are open"),
            "{error}"
        );
        let error = bench.send(Collect::ITEM, item("a", 2, 2)).await.unwrap_err();
        assert_eq!(error.to_string(), "place 2 is none of 2: places begin at 0");
        assert_eq!(bench.sent(Collect::ERROR).len(), 1);
        Ok(())
    }
}
