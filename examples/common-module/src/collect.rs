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

/// Groups whose list has not been taken yet, by their keys.
#[message]
#[derive(Default)]
pub(crate) struct Open {
    /// The groups.
    pub(crate) groups: BTreeMap<String, Group>,
}

/// A group whose list has not been taken yet.
#[message]
pub(crate) struct Group {
    /// When its first item came.
    pub(crate) since: Timestamp,
    /// What has come, by place.
    pub(crate) items: BTreeMap<u64, Json>,
    /// How many it has; nothing in what an older version has stored.
    pub(crate) total: Option<u64>,
    /// The place of the item that made it complete.
    pub(crate) completed_by: Option<u64>,
}

impl Group {
    /// Whether `message` is one of this group. Where it is not, it begins another one of the same key.
    fn has(&self, message: &Item) -> bool {
        if self.total.is_some_and(|total| total != message.total) {
            return false;
        }
        match self.completed_by {
            // The flow behind has failed, and the item is tried again.
            Some(place) => place == message.index && self.items.get(&place) == Some(&message.item),
            None => (self.items.len() as u64) < message.total,
        }
    }
}

/// What becomes of an item.
enum Taken {
    /// Its group waits for others.
    Waits,
    /// Its group is complete.
    Whole(Group),
    /// There are so many groups, and no room for its own.
    NoRoom(usize),
}

/// Waits for all items of a group, and sends them as one list: the other end of `split`.
///
/// What has come survives restarts. The reply of the flow behind goes to the item that completes the group; when that flow fails, the
/// group stays complete, and the next attempt of this item, with the same place and value, sends it again. Any other item begins the group
/// anew, and so does one of another `total`. What has come of a cancelled run is overwritten place by place by the next of the same key and
/// total: runs that may overlap, or whose items come in any order, should have keys of their own.
///
/// A group that takes longer than `timeoutSeconds` is dropped, with a warning in the log. All groups together have the room of a node's
/// state, which is 256 KiB of JSON: an item that does not fit is an error.
#[component(name = "collect", tags = ["common", "list"])]
#[derive(Default)]
pub(crate) struct Collect {
    settings: Settings<CollectSettings>,
    open: State<Open>,
}

impl Collect {
    /// Takes in an item; gives its group where that is complete now, or was already.
    async fn take(&self, node: &str, message: &Item) -> Result<Option<Group>> {
        let settings = self.settings.get();
        let now = Timestamp::now();
        let longest = SignedDuration::from_secs(settings.timeout_seconds.into());
        let mut late = Vec::new();
        let update = self.open.update(|open| {
            // The change is made again where somebody else has written first.
            late = drop_late(open, now, longest);
            let begun = open.groups.remove(&message.group_key);
            if begun.is_none() && open.groups.len() >= settings.max_groups as usize {
                return Taken::NoRoom(open.groups.len());
            }
            let mut group = begun.filter(|group| group.has(message)).unwrap_or_else(|| Group {
                since: now,
                items: BTreeMap::new(),
                total: None,
                completed_by: None,
            });
            group.total = Some(message.total);
            group.items.insert(message.index, message.item.clone());
            let is_complete = group.items.len() as u64 >= message.total;
            group.completed_by = is_complete.then_some(message.index);
            let taken = if is_complete { Taken::Whole(group.clone()) } else { Taken::Waits };
            open.groups.insert(message.group_key.clone(), group);
            taken
        });
        let taken = update.await?;
        for group in late {
            let items = group.items.len();
            let total = group.total.map_or("?".into(), |total| total.to_string());
            tiny_runtime::tracing::warn!(
                node,
                "a group was dropped with {items} of {total} items: it took longer than {longest:#}"
            );
        }
        match taken {
            Taken::Waits => Ok(None),
            Taken::Whole(group) => Ok(Some(group)),
            Taken::NoRoom(groups) => Err(Error::retry_after(
                format!("{groups} groups are open, and no more may be"),
                std::time::Duration::from_secs(1),
            )),
        }
    }

    /// Forgets a group that was sent. By now the next run may have begun another one under its key, which stays.
    async fn forget(&self, key: &str, since: Timestamp) -> Result<()> {
        let forgotten = self.open.update(|open| {
            if open.groups.get(key).is_some_and(|group| group.since == since) {
                open.groups.remove(key);
            }
        });
        forgotten.await
    }
}

/// Drops the groups that have taken too long, and returns them.
fn drop_late(open: &mut Open, now: Timestamp, longest: SignedDuration) -> Vec<Group> {
    let is_late = |_: &String, group: &mut Group| now.duration_since(group.since) >= longest;
    open.groups.extract_if(.., is_late).map(|(_, group)| group).collect()
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
        let Some(whole) = self.take(ctx.node(), &message).await? else { return Ok(Reply::none()) };
        let Group { since, items, .. } = whole;
        let items = items.into_values().collect();
        let reply = self.response(ctx, Collected { context: message.context, items }).await?;
        self.forget(&message.group_key, since).await?;
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
    use std::time::Duration;

    use tiny_runtime::tokio::time::timeout;

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

    /// What was sent, one text for each list.
    fn sent(bench: &Bench<Collect>) -> Vec<String> {
        let text = |item: &Json| item.as_str().unwrap_or_default().to_owned();
        let list = |it: Collected| it.items.iter().map(text).collect::<Vec<_>>().join(" ");
        bench.sent(Collect::RESPONSE).into_iter().map(list).collect()
    }

    /// An item of a run, in a group whose key all runs have in common.
    fn of(run: &str, index: u64, total: u64) -> Item {
        Item { group_key: "same".into(), ..item(run, index, total) }
    }

    #[tiny_runtime::test]
    async fn a_group_that_failed_for_good_does_not_mix_with_the_next() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.fail(Collect::RESPONSE, Error::permanent("no"));
        bench.send(Collect::ITEM, of("a", 0, 3)).await?.ignore();
        bench.send(Collect::ITEM, of("a", 1, 3)).await?.ignore();
        assert!(bench.send(Collect::ITEM, of("a", 2, 3)).await.is_err());
        bench.reply(Collect::RESPONSE, 1_u64);
        for run in ["b", "c"] {
            for index in 0..3 {
                bench.send(Collect::ITEM, of(run, index, 3)).await?.ignore();
            }
        }
        assert_eq!(sent(&bench), ["a0 a1 a2", "b0 b1 b2", "c0 c1 c2"]);
        assert!(bench.component().open.get().groups.is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_a_cancelled_run_left_does_not_mix_with_one_of_another_size() -> Result<()> {
        let bench = Bench::<Collect>::new();
        for index in 0..3 {
            bench.send(Collect::ITEM, of("a", index, 5)).await?.ignore();
        }
        for index in 0..3 {
            bench.send(Collect::ITEM, of("b", index, 3)).await?.ignore();
        }
        assert_eq!(sent(&bench), ["b0 b1 b2"]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_run_that_begins_while_the_last_list_is_under_way_has_a_group_of_its_own()
    -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.send(Collect::ITEM, of("a", 0, 2)).await?.ignore();
        let component = bench.component();
        let first = component.take("collect", &of("a", 1, 2)).await?.map(|group| group.since);
        assert!(component.take("collect", &of("b", 0, 2)).await?.is_none());
        component.forget("same", first.unwrap_or_default()).await?;
        bench.send(Collect::ITEM, of("b", 1, 2)).await?.ignore();
        assert_eq!(sent(&bench), ["b0 b1"]);
        assert!(component.open.get().groups.is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_run_that_begins_again_after_a_crash_is_sent_once() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.stall(Collect::RESPONSE);
        bench.send(Collect::ITEM, of("a", 0, 2)).await?.ignore();
        let last = bench.send(Collect::ITEM, of("a", 1, 2));
        assert!(timeout(Duration::from_secs(5), last).await.is_err());
        let next = bench.restart();
        next.send(Collect::ITEM, of("a", 0, 2)).await?.ignore();
        next.send(Collect::ITEM, of("a", 1, 2)).await?.ignore();
        assert_eq!(sent(&next), ["a0 a1"]);
        assert!(next.component().open.get().groups.is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_an_older_version_stored_is_read() -> Result<()> {
        let now = Timestamp::now();
        let group = |items| json!({"since": now, "items": items});
        let bench = Bench::<Collect>::with_state(json!({"open": {"groups": {
            "a": group(json!({"0": "a0"})), "b": group(json!({"0": "b0", "1": "b1"}))
        }}}));
        bench.send(Collect::ITEM, item("a", 1, 2)).await?.ignore();
        bench.send(Collect::ITEM, item("b", 0, 2)).await?.ignore();
        assert_eq!(sent(&bench), ["a0 a1"], "`b` was complete, and begins anew");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_takes_too_long_is_dropped_and_told() -> Result<()> {
        let component = Collect::default();
        assert!(component.take("collect", &item("a", 0, 2)).await?.is_none());
        let mut open = Open::clone(&component.open.get());
        let long = SignedDuration::from_secs(60);
        assert!(drop_late(&mut open, Timestamp::now(), long).is_empty());
        let dropped = drop_late(&mut open, Timestamp::now() + long, long);
        assert_eq!((dropped.len(), dropped[0].total), (1, Some(2)));
        assert!(open.groups.is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn it_is_bounded() -> Result<()> {
        let bench = Bench::<Collect>::new();
        bench.settings_json(json!({"maxGroups": 1}));
        let component = bench.component();
        assert!(component.take("collect", &item("a", 0, 2)).await?.is_none());
        let error = component.take("collect", &item("b", 0, 2)).await.unwrap_err();
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
