//! `in_memory_kv`: documents by their keys.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tiny_runtime::mapping::Mapping;
use tiny_runtime::prelude::*;
use tiny_runtime::serde_json::{Value, json};

/// What is kept.
#[message(default)]
pub(crate) struct KvSettings {
    /// An example of a document, which has the key.
    pub(crate) document: Json,
    /// The field whose value is the key of a document.
    #[ui(minLength = 1)]
    pub(crate) primary_key: String,
    /// How many documents are kept at most.
    #[ui(minimum = 1, maximum = 1_000_000)]
    pub(crate) max_records: u64,
    /// Whether there is a port for what was stored.
    pub(crate) enable_store_result_port: bool,
}

impl Default for KvSettings {
    fn default() -> Self {
        Self {
            document: json!({ "id": "" }).into(),
            primary_key: "id".into(),
            max_records: 10_000,
            enable_store_result_port: false,
        }
    }
}

/// What is done with a document.
#[message]
#[derive(Default, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    /// Kept, in the place of one with the same key.
    #[default]
    Store,
    /// Forgotten.
    Delete,
}

/// A document, and what is done with it.
#[message]
pub(crate) struct StoreRequest {
    /// What is handed on.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) context: Json,
    /// What is done.
    #[serde(default)]
    pub(crate) operation: Operation,
    /// The document; of one that is deleted only its key counts.
    #[ui(configurable)]
    pub(crate) document: Json,
}

/// What was done.
#[message]
pub(crate) struct StoreAck {
    /// What was asked for.
    #[ui(shared)]
    pub(crate) request: Json,
}

/// What is looked for.
#[message]
pub(crate) struct Query {
    /// What is handed on.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) context: Json,
    /// An expression as in a mapping, of which the first document is meant for which it is true: `$.age > 18`, or in JMESPath `name == 'Ada'`.
    #[ui(configurable, minLength = 1)]
    pub(crate) query: String,
}

/// What was found.
#[message]
pub(crate) struct QueryResult {
    /// What came with the query.
    #[ui(shared)]
    pub(crate) context: Json,
    /// The document, or nothing.
    #[ui(shared)]
    pub(crate) document: Json,
    /// Whether there is one.
    pub(crate) found: bool,
    /// What was looked for.
    pub(crate) query: String,
}

/// Keeps documents by their keys, in the memory of this process.
///
/// Each replica has its own, and all are lost when it ends.
#[component(name = "in_memory_kv", tags = ["common", "store"])]
#[derive(Default)]
pub(crate) struct Kv {
    settings: Settings<KvSettings>,
    documents: Mutex<BTreeMap<String, Json>>,
}

impl Kv {
    fn documents(&self) -> MutexGuard<'_, BTreeMap<String, Json>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ack(&self) -> bool {
        self.settings.get().enable_store_result_port
    }

    /// The key of a document, as text.
    fn key(&self, document: &Value) -> Result<String> {
        let field = &self.settings.get().primary_key;
        match document.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(number @ Value::Number(_)) => Ok(number.to_string()),
            _ => Err(Error::permanent(format!(
                "the document has no key: its field `{field}` should be a text or a number"
            ))),
        }
    }
}

#[component]
impl Kv {
    /// Refuses an example without the key.
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, settings: &KvSettings) -> Result<()> {
        match settings.document.get(&settings.primary_key) {
            Some(_) => Ok(()),
            None => Err(Error::permanent(format!(
                "the example of a document has no field `{}`, which is to be its key",
                settings.primary_key
            ))),
        }
    }

    /// Keeps a document, or forgets one.
    #[port(target, position = "left")]
    async fn store(&self, ctx: &Ctx, message: StoreRequest) -> Result {
        let key = self.key(&message.document)?;
        let most = self.settings.get().max_records;
        {
            let mut documents = self.documents();
            if message.operation == Operation::Delete {
                documents.remove(&key);
            } else if documents.len() as u64 >= most && !documents.contains_key(&key) {
                return Err(Error::permanent(format!(
                    "there are {most} documents, and no more are kept"
                )));
            } else {
                documents.insert(key, message.document.clone());
            }
        }
        if !self.has_ack() {
            return Ok(Reply::none());
        }
        let request = tiny_runtime::serde_json::to_value(&message)?.into();
        self.store_ack(ctx, StoreAck { request }).await
    }

    /// Looks for a document.
    #[port(target, position = "left")]
    async fn query(&self, ctx: &Ctx, message: Query) -> Result {
        let Query { context, query } = message;
        let wrong = |why: String| Error::permanent(format!("the query `{query}` {why}"));
        let expression =
            Mapping::expression(&query).map_err(|e| wrong(format!("does not compile: {e}")))?;
        // Taken out, so that nobody waits while it is looked through.
        let documents: Vec<Json> = self.documents().values().cloned().collect();
        let mut found = None;
        for document in documents {
            let value = expression.read_value(&document).and_then(|it| expression.value(it));
            let value = value.map_err(|e| wrong(format!("cannot be told of a document: {e}")))?;
            if value == Value::Bool(true) {
                found = Some(document);
                break;
            }
        }
        let is_found = found.is_some();
        let document = found.unwrap_or_default();
        self.query_result(ctx, QueryResult { context, document, found: is_found, query }).await
    }

    /// What was found.
    #[port(source, position = "right")]
    async fn query_result(&self, ctx: &Ctx, message: QueryResult) -> Result;

    /// What was stored or deleted.
    #[port(source, position = "right", when = Self::has_ack)]
    async fn store_ack(&self, ctx: &Ctx, message: StoreAck) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, in_force};

    async fn store(bench: &Bench<Kv>, operation: &str, document: Value) -> Result<()> {
        let request = json!({"operation": operation, "document": document});
        bench.send_json("store", request).await?.ignore();
        Ok(())
    }

    async fn found(bench: &Bench<Kv>, query: &str) -> Result<Option<Value>> {
        let query = Query { context: context("a"), query: query.into() };
        bench.send(Kv::QUERY, query).await?.ignore();
        let last = bench.sent(Kv::QUERY_RESULT).pop().ok_or_else(|| Error::permanent("nothing"))?;
        assert_eq!((last.context, last.found), (context("a"), !last.document.is_null()));
        Ok(last.found.then(|| last.document.into_value()))
    }

    #[tiny_runtime::test]
    async fn what_was_stored_is_found_by_an_expression() -> Result<()> {
        let bench = Bench::<Kv>::new();
        store(&bench, "store", json!({"id": "ada", "age": 36})).await?;
        store(&bench, "store", json!({"id": 7, "age": 80})).await?;
        assert_eq!(found(&bench, "$.age > 50").await?, Some(json!({"id": 7, "age": 80})));
        assert_eq!(found(&bench, "id == 'ada'").await?, Some(json!({"id": "ada", "age": 36})));
        assert_eq!(found(&bench, "$.age > 100").await?, None);
        store(&bench, "store", json!({"id": "ada", "age": 37})).await?;
        assert_eq!(found(&bench, "$.age == 37").await?, Some(json!({"id": "ada", "age": 37})));
        store(&bench, "delete", json!({"id": "ada"})).await?;
        assert_eq!(found(&bench, "id == 'ada'").await?, None);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn it_is_bounded_and_says_what_it_has_done() -> Result<()> {
        let bench = Bench::<Kv>::new();
        bench.settings_json(json!({"maxRecords": 1, "enableStoreResultPort": true}));
        in_force().await;
        store(&bench, "store", json!({"id": "a"})).await?;
        store(&bench, "store", json!({"id": "a", "again": true})).await?;
        assert_eq!(bench.sent(Kv::STORE_ACK)[1].request["document"]["again"], true);
        let error = store(&bench, "store", json!({"id": "b"})).await.unwrap_err();
        assert_eq!(error.to_string(), "there are 1 documents, and no more are kept");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_cannot_be_is_said() -> Result<()> {
        let bench = Bench::<Kv>::new();
        let error = store(&bench, "store", json!({"name": "x"})).await.unwrap_err();
        assert!(error.to_string().contains("its field `id`"), "{error}");
        let error = found(&bench, "$.age >").await.unwrap_err();
        assert!(error.to_string().starts_with("the query `$.age >` does not compile"), "{error}");
        bench.settings_json(json!({"primaryKey": "key"}));
        in_force().await;
        assert!(bench.faults()[0].contains("has no field `key`"), "{:?}", bench.faults());
        Ok(())
    }
}
