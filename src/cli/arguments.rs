//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use lucarne::protocol::WireTargetKind;

/// Explains the answers of image networks, and scores the explanations.
#[derive(Parser)]
#[command(name = "lucarne", version)]
pub struct Arguments {
    /// Print results as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Lists what networks can run on here
    Devices,
    /// Lists the bundled networks
    Models,
    /// Lists the attribution methods with their parameters
    Methods,
    /// Lists the metrics with their parameters
    Metrics,
    /// Lists the imputers, which fill removed pixels, with their parameters
    Imputers,
    /// Lists the criteria that imputers are judged by
    Criteria,
    /// Says what a network sees in a picture
    Predict(Predict),
    /// Computes how much each part of a picture moved the answer
    Explain(Explain),
    /// Scores how far an explanation can be trusted
    Evaluate(Evaluate),
    /// Fills removed pixels of a picture
    Impute(Impute),
    /// Says what every criterion says of an imputer's filling
    Gauge(super::gauge::Gauge),
    /// Makes the picture that a class, a channel or a neuron answers to most
    Visualise(super::visualise::Visualise),
    /// Measures removal on whole sets of pictures
    Study(super::study::Study),
    /// Looks into an ONNX file, and prints a model card to start from
    Inspect(Inspect),
}

/// A network and a picture.
#[derive(Args)]
pub struct Subject {
    /// Id of a bundled network, or path of an .onnx file
    pub model: String,
    /// A picture, or a .npy float32 tensor [C,H,W] or [1,C,H,W] that is already preprocessed
    pub input: PathBuf,
    #[command(flatten)]
    pub network: Network,
}

/// How the network is loaded and run.
#[derive(Args)]
pub struct Network {
    /// Model card (TOML) to use instead of the bundled or inferred one
    #[arg(long, value_name = "FILE")]
    pub card: Option<PathBuf>,
    /// Labels, one a line
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Threads that share the passes; changes no result [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// What networks run on; results on a GPU agree with the processor's to rounding
    #[arg(long, value_enum, default_value_t = Where::Cpu)]
    pub device: Where,
}

/// What networks run on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Where {
    /// On a GPU where there is one, else on the processor
    Auto,
    /// On the processor, whose results are the same everywhere
    Cpu,
    /// On a GPU
    Gpu,
    /// On a GPU with 16 bits where it has them; provenance tells how far the first picture's results are off
    GpuF16,
}

/// What is explained, and by which draws.
#[derive(Args)]
pub struct Question {
    /// Class index, or `auto` for the network's first answer
    #[arg(long, value_name = "K|auto", default_value = "auto")]
    pub target: Class,
    /// Which function of the logits: the network's own last tensor, the tensor before its softmax or sigmoid, or after
    #[arg(long, value_enum, default_value_t = Kind::Output)]
    pub target_kind: Kind,
    #[command(flatten)]
    pub removal: Removal,
}

/// How pixels are removed.
#[derive(Args)]
pub struct Removal {
    /// Imputer that fills removed pixels
    #[arg(long, value_name = "ID", default_value = "constant")]
    pub imputer: String,
    /// Parameter of the imputer; may be given several times
    #[arg(long, value_name = "K=V")]
    pub imputer_param: Vec<String>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
}

/// `predict`.
#[derive(Args)]
pub struct Predict {
    #[command(flatten)]
    pub subject: Subject,
    /// How many classes, best first; 0 for all
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub top: usize,
}

/// `explain`.
#[derive(Args)]
pub struct Explain {
    #[command(flatten)]
    pub subject: Subject,
    /// Attribution method
    #[arg(long, value_name = "ID")]
    pub method: String,
    /// Parameter of the method; may be given several times
    #[arg(long, value_name = "K=V")]
    pub param: Vec<String>,
    /// A picture to compare with, for `--param reference=picture`; may be given several times
    #[arg(long, value_name = "FILE")]
    pub baseline: Vec<PathBuf>,
    #[command(flatten)]
    pub question: Question,
    /// Where to: .npy is the raw map, .png a picture of it, .json the map with how it came about
    #[arg(short, long, value_name = "FILE", required_unless_present = "json")]
    pub output: Option<PathBuf>,
}

/// `evaluate`.
#[derive(Args)]
pub struct Evaluate {
    /// Id of a bundled network, or path of an .onnx file
    pub model: String,
    /// A picture, or a .npy float32 tensor [C,H,W] or [1,C,H,W] that is already preprocessed
    #[arg(required_unless_present = "images", conflicts_with = "images")]
    pub input: Option<PathBuf>,
    #[command(flatten)]
    pub network: Network,
    /// A map as .npy ([C,H,W] or [1,h,w]), or the id of a method that computes it; with --images several ids
    #[arg(long, value_name = "MAP.npy|ID", required = true, num_args = 1..)]
    pub attribution: Vec<String>,
    /// Metric; may be given several times
    #[arg(long, value_name = "ID", required = true, num_args = 1..)]
    pub metric: Vec<String>,
    /// Parameter: `k=v` for every metric that has it, `ID.k=v` for one metric or method
    #[arg(long, value_name = "[ID.]K=V")]
    pub param: Vec<String>,
    /// Class index, `auto` for the network's first answer, or `label` for the picture's label (with --images)
    #[arg(long, value_name = "K|auto|label", default_value = "auto")]
    pub target: Class,
    /// Which function of the logits: the network's own last tensor, the tensor before its softmax or sigmoid, or after
    #[arg(long, value_enum, default_value_t = Kind::Output)]
    pub target_kind: Kind,
    /// Imputer that fills removed pixels; with --images several [default: that of each metric's reference]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub imputer: Vec<String>,
    /// Parameter of the imputers that have it; may be given several times
    #[arg(long, value_name = "[ID.]K=V")]
    pub imputer_param: Vec<String>,
    /// Imputer of methods that remove pixels [default: the only --imputer, else constant]
    #[arg(long, value_name = "ID")]
    pub method_imputer: Option<String>,
    /// Fillings that a score is the mean over, for imputers that draw random numbers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub draws: u32,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// Method that made the map file, for metrics that explain again
    #[arg(long, value_name = "ID", conflicts_with = "images")]
    pub made_by: Option<String>,
    /// A second map to compare with: .npy, or the id of a method that computes it (with --images an id)
    #[arg(long, value_name = "MAP.npy|ID")]
    pub other: Option<String>,
    /// Pixels known to matter: a picture as large as the input's, white where they are, or a .npy [H,W] of the prepared
    /// input's size, not 0
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    pub mask: Option<PathBuf>,
    #[command(flatten)]
    pub folder: Folder,
}

/// `evaluate` of a folder.
#[derive(Args)]
pub struct Folder {
    /// Scores every picture of this folder and of its subfolders
    #[arg(long, value_name = "DIR", requires = "output")]
    pub images: Option<PathBuf>,
    /// Where to: .csv or .jsonl, a line a score. A file that has lines already is continued
    #[arg(short, long, value_name = "FILE", requires = "images")]
    pub output: Option<PathBuf>,
    /// Folder of masks, as --mask, with the pictures' paths but for the ending
    #[arg(long, value_name = "DIR", requires = "images")]
    pub masks: Option<PathBuf>,
    /// Labels of the pictures, `path,label` a line; the label is a class's name or index [default: names of subfolders]
    #[arg(long, value_name = "FILE", requires = "images")]
    pub labels_file: Option<PathBuf>,
    /// Leaves out pictures whose label is not the network's first answer
    #[arg(long, requires = "images")]
    pub only_correct: bool,
    /// How many other pictures a metric gets that compares among them: those that follow, by name
    #[arg(long, value_name = "N", default_value_t = 8, requires = "images")]
    pub set: usize,
}

/// `impute`.
#[derive(Args)]
pub struct Impute {
    /// A picture, or a .npy float32 tensor [C,H,W] or [1,C,H,W]
    pub input: PathBuf,
    /// Pixels to remove: white in a picture, not 0 in a .npy [H,W]; of the input's size
    #[arg(long, value_name = "FILE")]
    pub mask: PathBuf,
    /// Network whose input size and value space are used: a bundled id or an .onnx file [default: the picture's own]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Model card of that network
    #[arg(long, value_name = "FILE", requires = "model")]
    pub card: Option<PathBuf>,
    #[command(flatten)]
    pub removal: Removal,
    /// Where to: .npy is the raw tensor, .png the picture
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `inspect`.
#[derive(Args)]
pub struct Inspect {
    /// An .onnx file
    pub file: PathBuf,
    /// Load it too, and list the layers that methods can look at
    #[arg(long)]
    pub layers: bool,
}

/// A class.
#[derive(Clone, Copy)]
pub enum Class {
    /// The first answer.
    Auto,
    /// The picture's label.
    Label,
    /// This one.
    Index(usize),
}

impl std::str::FromStr for Class {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "label" => Ok(Self::Label),
            _ => text
                .parse()
                .map(Self::Index)
                .map_err(|_| "a class index or `auto` is needed".to_owned()),
        }
    }
}

/// See [`WireTargetKind`].
#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    /// The network's own last tensor
    Output,
    /// Before its final softmax, log-softmax or sigmoid
    Logit,
    /// After it
    Probability,
}

impl From<Kind> for WireTargetKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Output => Self::Output,
            Kind::Logit => Self::Logit,
            Kind::Probability => Self::Probability,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_of_every_command_agree() {
        super::Arguments::command().debug_assert();
    }
}
