//! What a picture is compared with: the baselines that path and difference methods share.

use crate::params::ParamValue;
use crate::rng::Stream;
use crate::{Context, Error, Input, Mask, Tensor, imputer};

/// Name of the recorded pictures `[n, C, H, W]` of `reference = picture`, in network values: whoever asks for the map
/// puts them beside the random streams ([`SeedStream::with_recorded`](crate::rng::SeedStream::with_recorded)).
pub const GIVEN: &str = "baseline/pictures";
/// Name of the stream of `reference = noise`: uniform draws `[n, C, H, W]`.
pub const NOISE: &str = "baseline/noise";

/// Which baselines a method's parameters ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference<'p> {
    /// `constant`, `black`, `white`, `blurred`, `noise` or `picture`.
    pub kind: &'p str,
    /// The value of `constant`, in network values.
    pub value: f64,
    /// The standard deviation of `blurred`, in pixels.
    pub blur: f64,
    /// How many of `noise` or `picture`.
    pub count: usize,
}

impl Reference<'_> {
    /// Whether there can be more than one.
    pub fn is_many(&self) -> bool {
        matches!(self.kind, "noise" | "picture")
    }

    /// How many baselines there are: one, unless they are noise or given pictures.
    pub fn count(&self) -> usize {
        if self.is_many() { self.count } else { 1 }
    }

    /// The baselines of `input`. Runs no pass; refuses pictures that are missing, too few or of another shape.
    pub async fn of<'a>(&self, cx: &Context<'_>, input: &'a Input) -> Result<Baselines<'a>, Error> {
        let [_, height, width] = input.dims();
        let pixels = height * width;
        let shade = |v: f32| Tensor::from_fn(input.tensor.shape(), |i| input.space.forward(i / pixels, v));
        let fixed = match self.kind {
            "black" => vec![shade(0.0)],
            "white" => vec![shade(1.0)],
            "blurred" => {
                let all = Mask::all(height, width, true);
                let sigma = [("sigma".to_owned(), ParamValue::Number(self.blur))].into();
                let blur = imputer::find("gaussian-blur")?;
                vec![imputer::impute(blur, &sigma, &cx.imputing(), input, &all).await?]
            }
            "noise" => Vec::new(),
            "picture" => given(cx, input, self.count)?,
            _ => vec![input.tensor.map(|_| self.value as f32)],
        };
        Ok(Baselines {
            input,
            fixed,
            noise: cx.random.stream(NOISE),
            next: 0,
        })
    }
}

/// The first `count` of the given pictures.
fn given(cx: &Context<'_>, input: &Input, count: usize) -> Result<Vec<Tensor>, Error> {
    let none = || {
        Error::param(
            "reference",
            "no picture was given to compare with; give one, or choose another",
        )
    };
    let given = cx.random.recorded(GIVEN).ok_or_else(none)?;
    let dims = input.dims();
    if given.shape().len() != 4 || given.shape()[1..] != dims {
        let why = format!(
            "the given pictures are {:?}; [n, {}, {}, {}] is needed",
            given.shape(),
            dims[0],
            dims[1],
            dims[2]
        );
        return Err(Error::param("reference", why));
    }
    if !given.is_finite() {
        return Err(Error::param("reference", "a value of the given pictures is not finite"));
    }
    let there = given.shape()[0];
    if there < count {
        let why = format!("{count} pictures to compare with are asked for, {there} were given");
        return Err(Error::param("references", why));
    }
    Ok((0..count).map(|k| Tensor::new(&dims, given.row(k).to_vec())).collect())
}

/// Baselines `[C, H, W]`, made one at a time.
pub(super) struct Baselines<'a> {
    input: &'a Input,
    /// Empty where each is noise of its own.
    fixed: Vec<Tensor>,
    noise: Stream,
    next: usize,
}

impl Baselines<'_> {
    /// The next one in order, from the first again after the last.
    pub fn next(&mut self) -> Tensor {
        if self.fixed.is_empty() {
            return self.fresh();
        }
        self.next += 1;
        self.fixed[(self.next - 1) % self.fixed.len()].clone()
    }

    /// One of them by chance, each as likely; one draw of `choice` where there are several to choose from.
    pub fn draw(&mut self, choice: &mut Stream) -> Tensor {
        match self.fixed.len() {
            0 => self.fresh(),
            1 => self.fixed[0].clone(),
            n => self.fixed[choice.index(n)].clone(),
        }
    }

    /// Noise, uniform between black and white; where no pixel space is known, between 0 and 1.
    fn fresh(&mut self) -> Tensor {
        let (noise, space) = (&mut self.noise, &self.input.space);
        let [_, height, width] = self.input.dims();
        Tensor::from_fn(self.input.tensor.shape(), |i| {
            space.forward(i / (height * width), noise.uniform())
        })
    }
}
