//! # Class leakage
//!
//! **What it computes.** Whether the filling by itself gives the class back: the probability that the network gives the picture's
//! class when nothing is left of the picture but its frame.
//!
//! **Formula.** `p[c](y)`, `c` the class that the network gives the picture, `y` the picture with all pixels but those of its frame
//! removed and filled. The frame is its outermost rows and columns, as many as come nearest to a tenth of all pixels. The mask that was
//! asked about plays no part.
//!
//! **Shapes and sign.** Between 0 and 1, lower is better: about one over the number of classes says that nothing came back. Undefined
//! where the picture is too small to have an inside.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Where the object or its telling surroundings reach the frame, the class is in what was kept. One draw only.
//! A value near 0 does not say that a filling from scattered pixels leaks nothing: those hold the class themselves.
//!
//! **Reference.** After the class information leakage of Rong et al. 2022, arXiv:2202.00449, and their observation that a
//! stronger generator hides the drop; this form is our own.
//!
//! **Parity.** None: our own form. Cases by hand in `tests/axioms`.

use super::{Better, Case, Criterion, CriterionMeta};
use crate::metric::Score;

/// See the [module](self).
pub struct ClassLeakage;

impl Criterion for ClassLeakage {
    const META: CriterionMeta = CriterionMeta {
        id: "class-leakage",
        name: "Class leakage",
        summary: "Does the filling give the class back when only the picture's frame is left?",
        formula: "probability of the picture's class with all but the outermost tenth removed and filled",
        better: Better::Lower,
        range: "0 to 1",
        reference: "after Rong et al. 2022, arXiv:2202.00449",
        needs_values: false,
    };

    fn measure(&self, case: &Case<'_>) -> Score {
        match case.bare {
            Ok(look) => Score::Value(look.probability(case.class)),
            Err(why) => Score::Undefined(why.to_owned()),
        }
    }
}
