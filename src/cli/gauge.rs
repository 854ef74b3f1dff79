//! `gauge`: what every criterion says of a filling.

use std::path::PathBuf;

use clap::Args;
use lucarne::Job;
use lucarne::protocol::Gauge as Value;
use lucarne::rng::SeedStream;
use lucarne::session::{self, Question};
use pollster::block_on;

use super::arguments::{Removal, Subject};
use super::failure::Failure;
use super::output::{self, Format};
use super::progress::Terminal;
use super::{engines, models, pictures, values};

/// `gauge`.
#[derive(Args)]
pub struct Gauge {
    #[command(flatten)]
    pub subject: Subject,
    /// Pixels to remove: white in a picture, not 0 in a .npy [H,W]; of the network's input size
    #[arg(long, value_name = "FILE")]
    pub mask: PathBuf,
    #[command(flatten)]
    pub removal: Removal,
    /// Fillings that the values are means over, for imputers that draw random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub draws: u32,
    /// Where to write the first filling: .npy or .png
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Fills, looks, and prints.
pub fn run(arguments: &Gauge, json: bool) -> Result<(), Failure> {
    let forms = [Format::Npy, Format::Png];
    let format = arguments
        .output
        .as_deref()
        .map(|path| Format::of(path, &forms))
        .transpose()?;
    let removal = values::imputer(&arguments.removal.imputer, &arguments.removal.imputer_param)?;
    let model = models::load(&arguments.subject.model, &arguments.subject.network)?;
    let input = pictures::input(&arguments.subject.input, model.card())?;
    let [_, height, width] = input.dims();
    let removed = pictures::mask(&arguments.mask, height, width)?;
    let features = models::features(&model)?;
    let host = Terminal::new();
    let q = Question {
        exec: &*engines::engine(&model, &arguments.subject.network)?,
        job: &Job::new(&host),
        input: &input,
        target: session::UNASKED,
        removal: &removal,
        networks: &models::networks()?,
        random: &SeedStream::new(u64::from(arguments.removal.seed)),
    };
    let (filled, gauged) = block_on(session::gauge(&q, &removed, arguments.draws, features.as_ref()))?;
    if let (Some(path), Some(format)) = (arguments.output.as_deref(), format) {
        match format {
            Format::Npy => output::write_npy(path, &filled)?,
            _ => output::write_picture(path, &input.with(filled))?,
        }
    }
    if json {
        return output::print_json(&gauged);
    }
    let row = |g: &Value| {
        let value = match (g.value, &g.undefined) {
            (Some(value), _) => format!("{value:>10.4}"),
            (None, why) => format!("undefined: {}", why.as_deref().unwrap_or("")),
        };
        vec![g.id.clone(), value]
    };
    output::print_table(&gauged.gauges.iter().map(row).collect::<Vec<_>>());
    Ok(())
}
