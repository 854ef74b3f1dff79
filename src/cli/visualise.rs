//! `visualise`: the picture that a class, a channel or a neuron answers to most.

use std::path::PathBuf;

use clap::Args;
use lucarne::job::Job;
use lucarne::params::Params;
use lucarne::protocol::Choice;
use lucarne::rng::SeedStream;
use lucarne::session;
use lucarne::visualise::VisualiseParams;
use pollster::block_on;

use super::arguments::Network;
use super::failure::Failure;
use super::output::{self, Format};
use super::progress::Terminal;
use super::{engines, models, values};

/// `visualise`.
#[derive(Args)]
pub struct Visualise {
    /// Id of a bundled network, or path of an .onnx file
    pub model: String,
    #[command(flatten)]
    pub network: Network,
    /// Class index, for the objective `logit`
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub target: usize,
    /// Parameter: objective=logit|channel|neuron, layer, channel, steps, …; may be given several times
    #[arg(long, value_name = "K=V")]
    pub param: Vec<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// Where to: .png is the picture, .npy its pixel values [C,H,W] between 0 and 1
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Climbs, and writes the picture.
pub fn run(arguments: &Visualise, json: bool) -> Result<(), Failure> {
    let format = Format::of(&arguments.output, &[Format::Npy, Format::Png])?;
    let params = values::declared(&VisualiseParams::specs(), &arguments.param)?;
    let model = models::load(&arguments.model, &arguments.network)?;
    let pool = engines::engine(&model, &arguments.network)?;
    let host = Terminal::new();
    let job = Job::new(&host);
    let random = SeedStream::new(u64::from(arguments.seed));
    let choice = Choice::new(session::VISUALISE, params);
    let (picture, found) = block_on(session::visualise(&*pool, &job, arguments.target, &choice, &random))?;
    match format {
        Format::Npy => output::write_npy(&arguments.output, &picture.tensor)?,
        _ => output::write_picture(&arguments.output, &picture)?,
    }
    if json {
        return output::print_json(&found);
    }
    let (first, last) = (found.objective.first(), found.objective.last());
    output::print(&format!(
        "the objective went from {:.4} to {:.4} in {} steps\n",
        first.copied().unwrap_or_default(),
        last.copied().unwrap_or_default(),
        found.objective.len()
    ));
    Ok(())
}
