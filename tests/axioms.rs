//! What must hold of every method, metric and imputer: analytic cases with a known answer, properties over random
//! networks and pictures, and the promises of the registries (passes, progress, cancellation, seeds, batches, docs).

#[path = "support/naive/mod.rs"]
mod naive;

#[path = "axioms/analytic.rs"]
mod analytic;
#[path = "axioms/cams.rs"]
mod cams;
#[path = "axioms/criteria.rs"]
mod criteria;
#[path = "axioms/departures.rs"]
mod departures;
#[path = "axioms/draws.rs"]
mod draws;
#[path = "axioms/faithfulness.rs"]
mod faithfulness;
#[path = "axioms/games.rs"]
mod games;
#[path = "axioms/gradient_family.rs"]
mod gradient_family;
#[path = "axioms/harness.rs"]
mod harness;
#[path = "axioms/imputers.rs"]
mod imputers;
#[path = "axioms/incremental.rs"]
mod incremental;
#[path = "axioms/judgement.rs"]
mod judgement;
#[path = "axioms/layer_masking.rs"]
mod layer_masking;
#[path = "axioms/learned.rs"]
mod learned;
#[path = "axioms/lrp.rs"]
mod lrp;
#[path = "axioms/maps.rs"]
mod maps;
#[path = "axioms/metric_meta.rs"]
mod metric_meta;
#[path = "axioms/misuse.rs"]
mod misuse;
#[path = "axioms/patches.rs"]
mod patches;
#[path = "axioms/planted.rs"]
mod planted;
#[path = "axioms/properties.rs"]
mod properties;
#[path = "axioms/registries.rs"]
mod registries;
