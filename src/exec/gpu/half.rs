//! 16 bits, where they are asked for: how far they are off is measured on each job's own first picture, and told.

use super::programs::{Given, Prepared};
use super::{Fault, Gpu, NoteKind};
use crate::gpu::{Precision, deviation};
use crate::program::Program;

/// Share of the largest value of an output above which 16 bits are not used: the second digit would be wrong.
const MOST: f32 = 0.05;

impl Gpu {
    /// In which precision this job runs `program`. Where 16 bits are asked for, the picture `at` is run in both before the
    /// program's first turn, and a note tells the difference.
    pub(super) async fn precision(
        &self,
        program: &Program,
        prepared: &Prepared,
        given: Given<'_>,
        at: usize,
    ) -> Result<Precision, Fault> {
        let device = &self.programs.device;
        if device.precision == Precision::Single {
            return Ok(Precision::Single);
        }
        let known = self
            .precisions
            .borrow()
            .iter()
            .find(|(p, _)| p == program)
            .map(|(_, found)| *found);
        if let Some(known) = known {
            return Ok(known);
        }
        let (precision, text) = if device.compute.half() {
            let row = given.rows(at..at + 1);
            let mut runs = vec![];
            for precision in [Precision::Single, Precision::Half] {
                let runner = prepared.runner(&self.programs, precision, Given::Rows(&row), 1).await?;
                runs.push(runner.run(0..1).await?.1);
            }
            let off = deviation(&runs[0], &runs[1]);
            let percent = 100.0 * off;
            if off <= MOST {
                let text = format!("on the first picture its results are off by {percent:.2} % of the largest");
                (Precision::Half, text)
            } else {
                let text =
                    format!("not used, as on the first picture its results are off by {percent:.0} % of the largest");
                (Precision::Single, text)
            }
        } else {
            (
                Precision::Single,
                "not used, as this GPU does not compute with 16 bits".to_owned(),
            )
        };
        self.note(NoteKind::Half, text);
        self.precisions.borrow_mut().push((program.clone(), precision));
        Ok(precision)
    }
}
