//! What has to be in a plane before anybody looks.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};
use uuid::Uuid;

use super::OpenError;
use super::disk::Disk;
use super::draft::Draft;
use super::index::{Index, Key};
use super::kinds::{DEFINITION, Kinds, LEASE, NAMESPACE};
use super::{namespace, object};

/// Frees the leases of those who do not live, makes the namespace `default`, and shows the definitions as they are now.
pub(super) fn ready(
    mut index: Index,
    kinds: &Kinds,
    crds: &[CustomResourceDefinition],
    disk: Option<&mut Disk>,
    lives: impl Fn(&str) -> bool,
) -> Result<Index, OpenError> {
    let is_new = index.version == 0;
    let mut draft = Draft::new(&index);
    let default = namespace::key("default");
    if draft.get(&default).is_none() {
        draft.put(&default, namespace::new(kinds.get(NAMESPACE), "default"));
    }
    free_leases(&mut draft, |holder| !lives(holder));
    define(&mut draft, kinds, crds);
    let (version, changes) = (draft.version, draft.changes);
    if let Some(disk) = disk.filter(|_| !changes.is_empty()) {
        disk.begin(&changes, version, &index)?;
    }
    for change in changes {
        match change.removed {
            true => index.remove(&change.key, change.version),
            false => index.put(change.key, change.after),
        }
    }
    if is_new {
        // There is nothing before this.
        kinds.ids().for_each(|kind| index.note(kind, version));
    }
    Ok(index)
}

/// Frees the leases of certain holders: whoever comes next leads at once.
pub(super) fn free_leases(draft: &mut Draft<'_>, is_gone: impl Fn(&str) -> bool) {
    for (key, lease) in draft.range(LEASE, None) {
        let mut lease = lease.value();
        let Some(spec) = lease.get_mut("spec").and_then(Value::as_object_mut) else { continue };
        if spec.get("holderIdentity").and_then(Value::as_str).is_some_and(&is_gone) {
            spec.shift_remove("holderIdentity");
            draft.put(&key, lease);
        }
    }
}

/// Puts, changes and removes definitions until they are those handed in.
fn define(draft: &mut Draft<'_>, kinds: &Kinds, crds: &[CustomResourceDefinition]) {
    let kind = kinds.get(DEFINITION);
    let mut named = Vec::new();
    for crd in crds {
        let name = format!("{}.{}", crd.spec.names.plural, crd.spec.group);
        let key = Key { kind: DEFINITION, namespace: String::new(), name: name.clone() };
        let mut object = object::in_order(
            json!({
                "metadata": { "name": name, "annotations": crd.metadata.annotations },
                "spec": crd.spec,
            }),
            kind,
        );
        let spec = &mut object["spec"];
        spec["conversion"] = json!({ "strategy": "None" });
        let old = draft.get(&key).map(|stored| stored.value());
        let since = match &old {
            Some(old) => object::meta_text(old, "creationTimestamp").to_owned(),
            None => object::now(),
        };
        object["status"] = status(crd, &since);
        object::stamp_new(&mut object, kind);
        let metadata = object::metadata_mut(&mut object);
        // The same definition is the same object at every start.
        let uid = Uuid::from_bytes(fingerprint(&name)).to_string();
        metadata.insert("uid".to_owned(), uid.into());
        metadata.insert("creationTimestamp".to_owned(), since.into());
        metadata.insert("generation".to_owned(), 1.into());
        let same = old.is_some_and(|mut old| {
            object::metadata_mut(&mut old).shift_remove("resourceVersion");
            old == object
        });
        if !same {
            draft.put(&key, object);
        }
        named.push(name);
    }
    for (key, stored) in draft.range(DEFINITION, None) {
        if !named.contains(&key.name) {
            draft.remove(&key, stored.value());
        }
    }
}

fn status(crd: &CustomResourceDefinition, since: &str) -> Value {
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "lastTransitionTime": since, "message": message, "reason": reason,
            "status": "True", "type": kind,
        })
    };
    let stored = crd.spec.versions.iter().filter(|version| version.storage);
    json!({
        "acceptedNames": crd.spec.names,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored.map(|version| version.name.as_str()).collect::<Vec<_>>(),
    })
}

/// Sixteen bytes that follow from a name.
fn fingerprint(name: &str) -> [u8; 16] {
    // FNV-1a of 128 bits: no secret hangs on it.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in name.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash.to_be_bytes()
}
