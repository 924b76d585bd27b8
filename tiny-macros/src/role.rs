//! What a method with `#[port]` is for the runtime.

use proc_macro2::Ident;
use syn::Attribute;

use crate::args::Args;
use crate::errors::Errors;
use crate::method::Method;
use crate::words;

/// Which end a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Target,
    Source,
    Error,
    /// Sees new settings before they are in force.
    Settings,
    /// Receives what people do on a dashboard.
    Control,
    /// Runs every few minutes and when the node changes.
    Reconcile,
    /// Runs when the node is deleted.
    Destroy,
}

const ROLES: [Role; 7] = [
    Role::Target,
    Role::Source,
    Role::Error,
    Role::Settings,
    Role::Control,
    Role::Reconcile,
    Role::Destroy,
];

impl Role {
    /// The word that authors write.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Source => "source",
            Self::Error => "error",
            Self::Settings => "settings",
            Self::Control => "control",
            Self::Reconcile => "reconcile",
            Self::Destroy => "destroy",
        }
    }

    /// What it is called in sentences.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Source => "source",
            Self::Error => "error port",
            Self::Settings => "settings hook",
            Self::Control => "control port",
            Self::Reconcile => "reconcile hook",
            Self::Destroy => "destroy hook",
        }
    }

    /// The same with its article.
    pub(crate) fn one(self) -> String {
        let article = if self == Self::Error { "an" } else { "a" };
        format!("{article} {}", self.noun())
    }

    /// The words that may stand beside its own.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Target | Self::Source => &["name", "label", "position", "when", "each", "schema"],
            Self::Error => &["name", "label", "position", "when"],
            Self::Settings => &["schema"],
            Self::Control => &["label", "position", "when", "schema", "read"],
            Self::Reconcile | Self::Destroy => &[],
        }
    }

    /// The name of a port that authors do not name. The destroy hook is no port: its name only keeps a component from having two.
    pub(crate) fn system_name(self) -> Option<&'static str> {
        match self {
            Self::Target | Self::Source | Self::Error => None,
            Self::Settings => Some("_settings"),
            Self::Control => Some("_control"),
            Self::Reconcile => Some("_reconcile"),
            Self::Destroy => Some("_destroy"),
        }
    }

    /// The side on which editors draw it when its author does not say.
    pub(crate) fn position(self) -> &'static str {
        match self {
            Self::Target => "Left",
            Self::Source => "Right",
            Self::Error => "Bottom",
            Self::Settings | Self::Control | Self::Reconcile | Self::Destroy => "Top",
        }
    }

    /// True for what the flow is the body of.
    pub(crate) fn sends(self) -> bool {
        matches!(self, Self::Source | Self::Error)
    }

    /// True for what nobody sends a message to.
    pub(crate) fn is_hook(self) -> bool {
        matches!(self, Self::Settings | Self::Reconcile | Self::Destroy)
    }

    /// True for what is called without a message: nothing has come, the time has.
    pub(crate) fn takes_nothing(self) -> bool {
        matches!(self, Self::Reconcile | Self::Destroy)
    }

    /// Takes the role out of the words of `attr`; `None` when there is none, or several.
    pub(crate) fn take(
        attr: &Attribute,
        args: &mut Args,
        method: &Method,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut said: Vec<(Ident, Self)> = Vec::new();
        for role in ROLES {
            said.extend(args.flag(role.word(), errors).map(|at| (at, role)));
        }
        match &*said {
            // Its words cannot be read, which is told already.
            [] if matches!(attr.meta, syn::Meta::NameValue(_)) => None,
            [] => {
                let guess = if method.body.is_some() { "target" } else { "source" };
                let all = ROLES.map(Self::word);
                let sentence = format!(
                    "`{}` does not say which end it is: write `#[port({guess})]` (a port is one of {})",
                    method.sig.ident,
                    words::list(&all)
                );
                errors.at(attr, sentence);
                None
            }
            [(_, role)] => Some(*role),
            [(first, _), others @ ..] => {
                for (other, _) in others {
                    errors.at(other, format!("a port is one end: keep `{first}` or `{other}`"));
                }
                None
            }
        }
    }
}
