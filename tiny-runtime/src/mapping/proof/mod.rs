//! Mappings are proved before they run: from what the source sends it is inferred what a mapping gives, and that is compared with what
//! the target takes.
//!
//! A [`Shape`] is the set of values that may stand at some place. The verdict of a field is *proved* when every value of its shape fits,
//! *refuted* when one that is declared does not, and then a message that shows it was found and tried; else it is *unknown*.

mod calls;
mod document;
mod fit;
mod format;
mod has;
mod infer;
mod narrow;
mod pattern;
mod queries;
mod rows;
mod shape;
mod steps;
mod truth;
mod way;
mod widen;
mod witness;
mod words;

pub use document::Document;
pub use rows::{Proof, Row, Verdict, identity, together};
pub use shape::Shape;
pub use way::Way;
