//! What methods and metrics work with: the executor behind counted, cancellable passes; the target; the removal
//! operator; the random streams.

use crate::error::{Error, RunError};
use crate::exec::{Executor, Gradients};
use crate::graph::Wrt;
use crate::imputer::{self, DynImputer};
use crate::job::{Job, Passes};
use crate::params::ParamValues;
use crate::rng::SeedStream;
use crate::{Input, Mask, Target, Tensor};

/// The chosen removal operator with its parameters.
#[derive(Clone)]
pub struct Removal {
    /// The imputer.
    pub imputer: &'static dyn DynImputer,
    /// Its parameters; missing ones take their defaults.
    pub params: ParamValues,
}

impl Default for Removal {
    /// The constant 0 in preprocessed space, the reference libraries' default.
    fn default() -> Self {
        Self {
            imputer: imputer::IMPUTERS[0],
            params: ParamValues::new(),
        }
    }
}

/// Everything a method or metric may use. None of them knows the device.
pub struct Context<'a> {
    /// Runs the network. Prefer [`Context::scores`], [`Context::gradients`] and [`Context::forward`], which count
    /// passes, report progress and can be cancelled.
    pub exec: &'a dyn Executor,
    /// Progress and cancellation.
    pub job: &'a Job<'a>,
    /// Random streams.
    pub random: &'a SeedStream,
    /// What is explained.
    pub target: Target,
    /// How pixels are removed.
    pub removal: Removal,
}

impl Context<'_> {
    /// Logits `[N, K]` and the outputs of `layers`, in turns of the executor's preferred batch.
    pub async fn forward(&self, x: &Tensor, layers: &[usize]) -> Result<Vec<Tensor>, Error> {
        let mut turns: Vec<Vec<Tensor>> = Vec::new();
        for turn in self.turns(x) {
            let outputs = self.exec.forward(&turn, layers).await?;
            self.job
                .step(Passes {
                    forward: turn.shape()[0] as u64,
                    backward: 0,
                })
                .await?;
            turns.push(outputs);
        }
        Ok(join(&turns))
    }

    /// The target's value for each picture of `x` `[N, C, H, W]`. A value that is not finite is an error.
    pub async fn scores(&self, x: &Tensor) -> Result<Vec<f32>, Error> {
        let logits = self.forward(x, &[]).await?.remove(0);
        let values = self.target.values(self.exec.model().network().head(), &logits);
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(RunError::NonFinite { what: "answer".into() }.into())
        }
    }

    /// The gradient of each picture's target by each of `wrt`, and the logits. Targets that are not linear in the
    /// logits take one more forward pass a picture.
    pub async fn gradients(&self, x: &Tensor, wrt: &[Wrt]) -> Result<Gradients, Error> {
        let head = self.exec.model().network().head();
        let classes = self.exec.model().classes();
        let mut turns: Vec<Vec<Tensor>> = Vec::new();
        for turn in self.turns(x) {
            let n = turn.shape()[0];
            let logits = if head.of_kind(self.target.kind).is_linear() {
                Tensor::zeros(&[n, classes])
            } else {
                let logits = self.exec.forward(&turn, &[]).await?.remove(0);
                self.job
                    .step(Passes {
                        forward: n as u64,
                        backward: 0,
                    })
                    .await?;
                logits
            };
            let cotangent = self.target.cotangents(head, &logits);
            let Gradients { logits, by } = self.exec.gradient(&turn, &cotangent, wrt).await?;
            self.job
                .step(Passes {
                    forward: n as u64,
                    backward: n as u64,
                })
                .await?;
            if !by.iter().all(Tensor::is_finite) {
                return Err(RunError::NonFinite {
                    what: "gradient".into(),
                }
                .into());
            }
            turns.push(std::iter::once(logits).chain(by).collect());
        }
        let mut outputs = join(&turns);
        let by = outputs.split_off(1);
        Ok(Gradients {
            logits: outputs.remove(0),
            by,
        })
    }

    /// Announces the passes of a method. A target that is not linear in the logits takes one more forward pass for
    /// each gradient, which no method knows.
    pub fn expect(&self, mut passes: Passes) {
        if !self.exec.model().network().head().of_kind(self.target.kind).is_linear() {
            passes.forward += passes.backward;
        }
        self.job.expect(passes);
    }

    /// The gradient of each picture's target by the input, `[N, C, H, W]`.
    pub async fn input_gradients(&self, x: &Tensor) -> Result<Tensor, Error> {
        Ok(self.gradients(x, &[Wrt::Input]).await?.by.remove(0))
    }

    /// `input` with the pixels of `removed` filled by the chosen imputer, `[C, H, W]`.
    pub async fn impute(&self, input: &Input, removed: &Mask) -> Result<Tensor, Error> {
        imputer::impute(
            self.removal.imputer,
            &self.removal.params,
            self.job,
            self.random,
            input,
            removed,
        )
        .await
    }

    /// The ranges of `0..n` pictures that are worth holding in memory together: one preferred batch each. Loops that
    /// make their pictures build one range, score it, and forget it.
    pub fn batches(&self, n: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let size = self.exec.preferred_batch().max(1);
        (0..n).step_by(size).map(move |from| from..(from + size).min(n))
    }

    fn turns(&self, x: &Tensor) -> impl Iterator<Item = Tensor> {
        let n = x.shape()[0];
        let size = self.exec.preferred_batch().max(1);
        let x = x.clone();
        (0..n).step_by(size).map(move |from| x.rows(from, (from + size).min(n)))
    }
}

fn join(turns: &[Vec<Tensor>]) -> Vec<Tensor> {
    let outputs = turns.first().map_or(0, Vec::len);
    (0..outputs)
        .map(|k| Tensor::concat(&turns.iter().map(|t| t[k].clone()).collect::<Vec<_>>()))
        .collect()
}
