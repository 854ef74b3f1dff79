//! # Energy shift
//!
//! **What it computes.** How much less the network recognises anything in the filling than in the picture.
//!
//! **Formula.** `E(y) - E(x)`, with `E = -log sum over classes k of exp(z[k])`, `z` the logits; the mean over the draws.
//!
//! **Shapes and sign.** Any real number in the unit of the logits, lower is better: 0 says as familiar as the picture itself.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Removing what the answer stands on raises the energy however well it is filled; compare imputers at the
//! same mask. A filling may lower it by looking like something else.
//!
//! **Reference.** Liu et al., NeurIPS 2020, arXiv:2010.03759.
//!
//! **Parity.** `-scipy.special.logsumexp`: within 1e-9, in `tests/axioms`.

use super::{Better, Case, Criterion, CriterionMeta};
use crate::metric::Score;

/// See the [module](self).
pub struct EnergyShift;

impl Criterion for EnergyShift {
    const META: CriterionMeta = CriterionMeta {
        id: "energy-shift",
        name: "Energy shift",
        summary: "How much less does the network recognise anything in the filling than in the picture?",
        formula: "E(filling) - E(picture), E = -log sum exp of the logits",
        better: Better::Lower,
        range: "any number, in logits; 0 is as familiar as the picture",
        reference: "Liu et al. 2020, arXiv:2010.03759",
        needs_values: false,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        let before = case.before.energy();
        case.mean(|_, after| Score::Value(after.energy() - before))
    }
}
