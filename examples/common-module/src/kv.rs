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
/// Each replica has its own, and all are lost when it ends. A key is a text or a number; `7` and `"7"` are two. When `primaryKey` changes,
/// what is kept gets its new keys: a document without one is forgotten, and of several with the same key one stays.
#[component(name = "in_memory_kv", tags = ["common", "store"])]
#[derive(Default)]
pub(crate) struct Kv {
    settings: Settings<KvSettings>,
    kept: Mutex<Kept>,
}

/// Documents by their keys.
#[derive(Default)]
struct Kept {
    /// The field whose value is the key: that of the settings, but it changes together with the documents.
    primary_key: String,
    documents: BTreeMap<String, Json>,
}

impl Kv {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ack(&self) -> bool {
        self.settings.get().enable_store_result_port
    }
}

/// The key of a document, as JSON, in which a number is not taken for a text.
fn key(document: &Value, field: &str) -> Result<String> {
    let is_key = |it: &&Value| it.is_number() || it.as_str().is_some_and(|text| !text.is_empty());
    document.get(field).filter(is_key).map(Value::to_string).ok_or_else(|| {
        Error::permanent(format!(
            "the document has no key: its field `{field}` should be a text or a number"
        ))
    })
}

#[component]
impl Kv {
    /// Refuses an example without the key, and gives what is kept its new keys.
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, settings: &KvSettings) -> Result<()> {
        let field = &settings.primary_key;
        if settings.document.get(field).is_none() {
            return Err(Error::permanent(format!(
                "the example of a document has no field `{field}`, which is to be its key"
            )));
        }
        let mut kept = self.kept();
        if kept.primary_key != *field {
            let documents = std::mem::take(&mut kept.documents).into_values();
            kept.documents = documents.filter_map(|it| Some((key(&it, field).ok()?, it))).collect();
            kept.primary_key.clone_from(field);
        }
        Ok(())
    }

    /// Keeps a document, or forgets one.
    #[port(target, position = "left")]
    async fn store(&self, ctx: &Ctx, message: StoreRequest) -> Result {
        let most = self.settings.get().max_records;
        {
            let mut kept = self.kept();
            let key = key(&message.document, &kept.primary_key)?;
            let documents = &mut kept.documents;
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

    /// Looks for a document. One of which the query cannot be told does not match; that is an error only where no other does.
    #[port(target, position = "left")]
    async fn query(&self, ctx: &Ctx, message: Query) -> Result {
        let Query { context, query } = message;
        let wrong = |why: String| Error::permanent(format!("the query `{query}` {why}"));
        let expression =
            Mapping::expression(&query).map_err(|e| wrong(format!("does not compile: {e}")))?;
        // Taken out, so that nobody waits while it is looked through.
        let documents: Vec<Json> = self.kept().documents.values().cloned().collect();
        let (mut found, mut untold) = (None, None);
        for document in documents {
            let value = expression.read_value(&document).and_then(|it| expression.value(it));
            match value {
                Ok(Value::Bool(true)) => {
                    found = Some(document);
                    break;
                }
                Ok(_) => {}
                Err(e) => untold = untold.or(Some(e)),
            }
        }
        if let (None, Some(e)) = (&found, untold) {
            return Err(wrong(format!("cannot be told of a document: {e}")));
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
    async fn a_document_of_which_a_query_cannot_be_told_hides_no_other() -> Result<()> {
        let bench = Bench::<Kv>::new();
        store(&bench, "store", json!({"id": "ada"})).await?;
        let error = found(&bench, "contains(tags, 'x')").await.unwrap_err();
        assert!(error.to_string().contains("cannot be told of a document"), "{error}");
        let bob = json!({"id": "bob", "tags": ["x"]});
        store(&bench, "store", bob.clone()).await?;
        assert_eq!(found(&bench, "contains(tags, 'x')").await?, Some(bob));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_number_is_not_the_key_that_its_text_is() -> Result<()> {
        let bench = Bench::<Kv>::new();
        store(&bench, "store", json!({"id": 7, "is": "number"})).await?;
        store(&bench, "store", json!({"id": "7", "is": "text"})).await?;
        store(&bench, "delete", json!({"id": "7"})).await?;
        let number = json!({"id": 7, "is": "number"});
        assert_eq!(found(&bench, "is == 'number'").await?, Some(number));
        assert_eq!(found(&bench, "is == 'text'").await?, None);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_is_kept_gets_the_keys_of_new_settings() -> Result<()> {
        let bench = Bench::<Kv>::new();
        store(&bench, "store", json!({"id": 1, "name": "ada", "age": 36})).await?;
        store(&bench, "store", json!({"id": 2})).await?;
        bench.settings_json(json!({"document": {"name": ""}, "primaryKey": "name"}));
        in_force().await;
        assert_eq!(bench.component().kept().documents.len(), 1, "one has no name");
        store(&bench, "store", json!({"id": 1, "name": "ada", "age": 37})).await?;
        assert_eq!(found(&bench, "$.age == 36").await?, None, "it was replaced");
        assert_eq!(found(&bench, "$.age == 37").await?.map(|it| it["id"].clone()), Some(json!(1)));
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
