//! What methods and metrics work with: the executor behind counted, cancellable passes; the target; the removal
//! operator; the random streams.

use crate::error::{Error, InputError, RunError};
use crate::exec::{self, Executor, Gradients, Mixed};
use crate::imputer::{self, DynImputer, ImputeContext, Networks};
use crate::job::{Job, Passes};
use crate::params::ParamValues;
use crate::program::{Program, Weights, Wrt};
use crate::rng::SeedStream;
use crate::{Input, Mask, Target, Tensor};

/// The chosen removal operator with its parameters.
#[derive(Clone)]
pub struct Removal {
    /// The imputer.
    pub imputer: &'static dyn DynImputer,
    /// Its parameters; missing ones take their defaults.
    pub params: ParamValues,
    /// The networks that imputers run.
    pub networks: Networks,
}

impl Default for Removal {
    /// The constant 0 in preprocessed space, the reference libraries' default.
    fn default() -> Self {
        Self {
            imputer: imputer::IMPUTERS[0],
            params: ParamValues::new(),
            networks: Networks::default(),
        }
    }
}

impl Removal {
    /// Refuses imputers that mark pixels as missing instead of filling them, for `what` needs values: a whole sentence's
    /// beginning.
    pub fn needs_values(&self, what: &str) -> Result<(), Error> {
        if self.imputer.marks_missing() {
            let why = format!("{what}, and the pixels that it removes are missing, so they have no value");
            let imputer = self.imputer.meta().id;
            return Err(InputError::CannotImpute { imputer, why }.into());
        }
        Ok(())
    }
}

/// Pictures that a network is run on.
#[derive(Clone, Copy, Debug)]
pub enum Pictures<'a> {
    /// `[N, C, H, W]`.
    Made(&'a Tensor),
    /// Of one picture and one fill, which the device makes where it can.
    Mixed(Mixed<'a>),
}

impl<'a> From<&'a Tensor> for Pictures<'a> {
    fn from(pictures: &'a Tensor) -> Self {
        Self::Made(pictures)
    }
}

impl<'a> From<Mixed<'a>> for Pictures<'a> {
    fn from(mixed: Mixed<'a>) -> Self {
        Self::Mixed(mixed)
    }
}

/// What a program is run on.
#[derive(Clone, Copy)]
enum Given<'a> {
    Inputs(&'a [Tensor]),
    Mixed(Mixed<'a>),
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
    /// The weights that every pass runs with.
    pub weights: Weights,
}

impl Context<'_> {
    /// Runs `program` with this context's weights on `inputs`, in turns of the executor's preferred batch. Each turn
    /// counts one forward pass a picture, and one backward pass where there is one.
    pub async fn run(&self, program: Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        self.run_on(program, Given::Inputs(inputs)).await
    }

    async fn run_on(&self, program: Program, given: Given<'_>) -> Result<Vec<Tensor>, Error> {
        let program = Program {
            weights: self.weights,
            missing: program.backward.is_none() && self.removal.imputer.marks_missing(),
            ..program
        };
        let n = match given {
            Given::Inputs(inputs) => {
                if program.backward.is_some() && inputs[0].data().iter().any(|v| v.is_nan()) {
                    self.removal
                        .needs_values("a gradient is taken by values of the picture")?;
                }
                inputs[0].shape()[0]
            }
            Given::Mixed(mixed) => mixed.len(),
        };
        let mut runs: Vec<Vec<Tensor>> = Vec::new();
        for turn in turns(n, self.exec.turn(&program)) {
            let pictures = turn.len() as u64;
            runs.push(match given {
                Given::Inputs(inputs) => {
                    let inputs: Vec<Tensor> = inputs.iter().map(|t| t.rows(turn.start, turn.end)).collect();
                    self.exec.run(&program, &inputs).await?
                }
                Given::Mixed(mixed) => self.exec.run_mixed(&program, mixed.part(turn)).await?,
            });
            self.job
                .step(Passes {
                    forward: pictures,
                    backward: if program.backward.is_some() { pictures } else { 0 },
                })
                .await?;
        }
        Ok(exec::join(&runs))
    }

    /// Logits `[N, K]` and the outputs of `layers`, in turns of the executor's preferred batch.
    pub async fn forward<'p>(&self, x: impl Into<Pictures<'p>>, layers: &[usize]) -> Result<Vec<Tensor>, Error> {
        let given = match x.into() {
            Pictures::Made(x) => Given::Inputs(std::slice::from_ref(x)),
            Pictures::Mixed(mixed) => Given::Mixed(mixed),
        };
        self.run_on(Program::forward(layers), given).await
    }

    /// The target's value for each picture. A value that is not finite is an error.
    pub async fn scores<'p>(&self, x: impl Into<Pictures<'p>>) -> Result<Vec<f32>, Error> {
        let logits = self.forward(x, &[]).await?.remove(0);
        self.values(&logits)
    }

    /// The target's values of `logits` `[N, K]`.
    fn values(&self, logits: &Tensor) -> Result<Vec<f32>, Error> {
        let values = self.target.values(self.exec.model().network().head(), logits);
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(RunError::NonFinite { what: "answer".into() }.into())
        }
    }

    /// The gradient of each picture's target by each of `wrt`, and the logits. Targets that are not linear in the
    /// logits take one more forward pass a picture.
    pub async fn gradients(&self, x: &Tensor, wrt: &[Wrt]) -> Result<Gradients, Error> {
        let mut outputs = self.backward(Program::gradient(wrt), std::slice::from_ref(x)).await?;
        let by = outputs.split_off(1);
        Ok(Gradients {
            logits: outputs.remove(0),
            by,
        })
    }

    /// Runs a `program` with a backward pass, from the cotangent of the target at `inputs` (without it). Targets that
    /// are not linear in the logits take one more forward pass a picture.
    pub async fn backward(&self, program: Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let head = self.exec.model().network().head();
        let classes = self.exec.model().classes();
        let given = program.layers.len() + 1;
        let mut runs: Vec<Vec<Tensor>> = Vec::new();
        for turn in self.batches(inputs[0].shape()[0]) {
            let mut inputs: Vec<Tensor> = inputs.iter().map(|t| t.rows(turn.start, turn.end)).collect();
            let logits = if head.of_kind(self.target.kind).is_linear() {
                Tensor::zeros(&[turn.len(), classes])
            } else {
                let forward = Program {
                    layers: Vec::new(),
                    backward: None,
                    ..program.clone()
                };
                self.run(forward, &inputs).await?.remove(0)
            };
            inputs.push(self.target.cotangents(head, &logits));
            let outputs = self.run(program.clone(), &inputs).await?;
            if !outputs[given..].iter().all(Tensor::is_finite) {
                return Err(RunError::NonFinite {
                    what: "gradient".into(),
                }
                .into());
            }
            runs.push(outputs);
        }
        Ok(exec::join(&runs))
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
        let Removal { imputer, params, .. } = &self.removal;
        imputer::impute(*imputer, params, &self.imputing(), input, removed).await
    }

    /// What an imputer may use.
    pub fn imputing(&self) -> ImputeContext<'_> {
        ImputeContext {
            job: self.job,
            random: self.random,
            networks: &self.removal.networks,
            device: self.exec.coprocessor(),
        }
    }

    /// The ranges of `0..n` pictures that are worth holding in memory together: one preferred batch each. Loops that
    /// make their pictures build one range, score it, and forget it.
    pub fn batches(&self, n: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        turns(n, self.exec.preferred_batch())
    }
}

/// `0..n` in ranges of `size`.
fn turns(n: usize, size: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let size = size.max(1);
    (0..n).step_by(size).map(move |from| from..(from + size).min(n))
}
