//! Actors: what is reported of them, as content (`content/actors`), and what follows from it.

mod bundle;
mod day;
mod generate;
mod knowledge;
mod profile;

pub use bundle::{
    AttributedCampaign, Bundle, BundleError, FeatureKind, Group, Software, SoftwareTechnique, Use,
};
pub use day::Day;
pub use generate::{Update, motive_in, state_in, update};
pub use knowledge::{Knowledge, Known, Tempering};
pub use profile::{Actor, ActorError, Actors, Attack, Listed, Source, StateProfile};
