//! The seven kinds, as the command line calls them.

use anyhow::{Result, anyhow, bail};
use kube::core::DynamicObject;
use kube::core::discovery::ApiResource;
use kube::{Api, Client};
use serde_json::Value;
use tiny_crds::{
    TinyFlow, TinyModule, TinyNode, TinyProject, TinySignal, TinyTracker, TinyWidgetPage,
};

use crate::words;

/// One of the seven kinds.
pub(super) struct Kind {
    pub(super) resource: ApiResource,
    short: &'static str,
    /// Reads an object as this kind, to see whether it is one.
    read: fn(&Value) -> std::result::Result<(), String>,
}

impl Kind {
    fn of<K>(short: &'static str) -> Self
    where
        K: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned,
    {
        let resource = ApiResource::erase::<K>(&());
        Self { resource, short, read: read::<K> }
    }

    /// All of them; first what others refer to.
    pub(super) fn all() -> [Self; 7] {
        [
            Self::of::<TinyProject>("tp"),
            Self::of::<TinyFlow>("tf"),
            Self::of::<TinyModule>("tm"),
            Self::of::<TinyNode>("tn"),
            Self::of::<TinyTracker>("tt"),
            Self::of::<TinyWidgetPage>("twp"),
            Self::of::<TinySignal>("ts"),
        ]
    }

    /// The kind that somebody calls `word`: `TinyNode`, `tinynodes`, `nodes`, `node`, `tn`.
    pub(super) fn named(word: &str) -> Result<Self> {
        if word.is_empty() || word.starts_with(['/', '.', '-']) {
            bail!("`{word}` is no kind; a folder stands behind its flag, as in `--local=DIR`");
        }
        let asked = word.to_lowercase();
        let is = |kind: &Self| kind.words().contains(&asked);
        Self::all().into_iter().find(is).ok_or_else(|| {
            let words: Vec<String> = Self::all().iter().flat_map(Self::words).collect();
            let singular: Vec<String> =
                Self::all().iter().map(|kind| kind.words()[0].clone()).collect();
            anyhow!(
                "there is no kind `{word}`{}; the kinds are {}",
                words::did_you_mean(&asked, words.iter().map(String::as_str)),
                words::list(singular.iter().map(String::as_str)),
            )
        })
    }

    fn words(&self) -> [String; 5] {
        let (kind, plural) = (self.resource.kind.to_lowercase(), self.resource.plural.clone());
        let bare = |word: &str| word.trim_start_matches("tiny").to_owned();
        [bare(&kind), bare(&plural), kind, plural, self.short.to_owned()]
    }

    /// `node` for a TinyNode.
    pub(super) fn word(&self) -> String {
        self.words()[0].clone()
    }

    /// Its objects in `namespace`.
    pub(super) fn api(&self, client: &Client, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(client.clone(), namespace, &self.resource)
    }

    /// `/apis/operator.tinysystems.io/v1alpha1/namespaces/…/tinynodes`.
    pub(super) fn path(&self, namespace: &str) -> String {
        let ApiResource { group, version, plural, .. } = &self.resource;
        format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}")
    }

    /// Whether `object` can be read as this kind; the sentence names the field.
    pub(super) fn check(&self, object: &Value) -> std::result::Result<(), String> {
        (self.read)(object)
    }
}

fn read<K: serde::de::DeserializeOwned>(object: &Value) -> std::result::Result<(), String> {
    serde_path_to_error::deserialize::<_, K>(object).map(drop).map_err(|e| {
        let path = e.path().to_string();
        match path.as_str() {
            "." => e.into_inner().to_string(),
            _ => format!("`{path}`: {}", e.into_inner()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_word_names_its_kind() {
        for word in ["TinyNode", "tinynodes", "tinynode", "nodes", "node", "tn"] {
            assert_eq!(Kind::named(word).unwrap().resource.kind, "TinyNode", "{word}");
        }
        assert_eq!(Kind::named("twp").unwrap().resource.kind, "TinyWidgetPage");
    }

    #[test]
    fn another_word_is_answered_with_those_there_are() {
        let said = Kind::named("nods").err().unwrap().to_string();
        assert!(said.starts_with("there is no kind `nods` (did you mean `nodes`?)"), "{said}");
    }
}
