//! `study features`.

use std::path::PathBuf;

use clap::Args;
use lucarne::criteria::features::BYTES;
use lucarne::criteria::{Eye, Features as Statistics};
use lucarne::imputer::Networks;
use lucarne::rng::SeedStream;
use lucarne::{Job, Tensor};
use pollster::block_on;

use super::super::arguments::Network;
use super::super::failure::Failure;
use super::super::folder::walk;
use super::super::{engines, models, output, pictures};
use super::{Bench, UNWATCHED};

/// `study features`.
#[derive(Args)]
pub struct Features {
    /// Id of a bundled network, or path of an .onnx file
    pub model: String,
    #[command(flatten)]
    pub network: Network,
    /// Every picture of this folder and of its subfolders
    #[arg(long, value_name = "DIR")]
    pub photographs: PathBuf,
    /// At most so many pictures, spread over the folder
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// Directions that are kept exactly
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub rank: usize,
    /// Where to: features.npy beside the network's card
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// Looks at the pictures, and writes.
pub fn run(arguments: &Features, json: bool) -> Result<(), Failure> {
    let model = models::load(&arguments.model, &arguments.network)?;
    let mut found = Vec::new();
    walk(&arguments.photographs, None, 0, &mut found)?;
    found.sort();
    let all = found.len();
    let count = arguments.count.unwrap_or(all).min(all);
    let pool = engines::engine(&model, &arguments.network)?;
    let (eye, job, networks, random) = (
        Eye::new(pool.model()),
        Job::new(&UNWATCHED),
        Networks::default(),
        SeedStream::new(0),
    );
    let bench = Bench {
        exec: &*pool,
        networks: &networks,
        job: &job,
    };
    let cx = bench.context(&random, 0, "constant")?;
    let mut samples = Vec::with_capacity(count);
    let paths: Vec<_> = (0..count).map(|k| &found[k * all / count]).collect();
    for paths in paths.chunks(pool.preferred_batch().max(1)) {
        let inputs = paths.iter().map(|path| pictures::input(path, model.card()));
        let turn: Vec<Tensor> = inputs.map(|input| Ok(input?.tensor)).collect::<Result<_, Failure>>()?;
        for look in block_on(eye.look(&cx, &turn))? {
            let none = || {
                Failure::new(
                    "this network has no feature map",
                    "Name one in its card: [layers] default.",
                )
            };
            samples.push(look.features.ok_or_else(none)?);
        }
    }
    let statistics = Statistics::of(&samples, arguments.rank)?;
    let bytes = statistics.to_npy();
    if bytes.len() > BYTES {
        let message = format!("{} directions take {} bytes, over {BYTES}", arguments.rank, bytes.len());
        return Err(Failure::usage(message, "Give a lower --rank."));
    }
    output::write(&arguments.output, &bytes)?;
    if json {
        let (rank, width) = (statistics.rank(), statistics.width());
        return output::print_json(&serde_json::json!({ "pictures": count, "rank": rank, "width": width }));
    }
    output::print(&format!(
        "{count} pictures: {} directions of {} features, {} bytes\n",
        statistics.rank(),
        statistics.width(),
        bytes.len()
    ));
    Ok(())
}
