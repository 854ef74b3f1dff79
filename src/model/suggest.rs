//! What an ONNX file says of itself, and the card that it most likely wants.

use std::collections::BTreeMap;
use std::fmt;

use super::ModelCard;
use super::card::{InputCard, Layout, OutputCard, Preprocessing, ResizeMode};
use super::target::Head;

/// An input or output as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the file.
    pub name: String,
    /// Element type in ONNX words: `float`, `uint8`, …
    pub dtype: String,
    /// Sizes, `None` where symbolic; `None` where no shape is said.
    pub shape: Option<Vec<Option<u64>>>,
}

impl Port {
    /// Size of axis `i`, if said.
    fn dim(&self, i: usize) -> Option<u64> {
        self.shape.as_ref().and_then(|s| s.get(i).copied().flatten())
    }

    fn rank(&self) -> Option<usize> {
        self.shape.as_ref().map(Vec::len)
    }
}

impl fmt::Display for Port {
    /// `name: float [?, 3, 224, 224]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.dtype)?;
        let Some(shape) = &self.shape else { return Ok(()) };
        let sizes: Vec<String> = shape
            .iter()
            .map(|d| d.map_or("?".to_owned(), |d| d.to_string()))
            .collect();
        write!(f, " [{}]", sizes.join(", "))
    }
}

/// An output and what it ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    /// As declared.
    pub port: Port,
    /// What the file applies to the logits at the end.
    pub head: Head,
}

/// A step by constants that the file applies to its picture before anything else.
#[derive(Clone, Debug, PartialEq)]
pub enum Affine {
    /// `x + c`.
    Add(Vec<f32>),
    /// `x * c`.
    Mul(Vec<f32>),
}

/// What an ONNX file says of itself, without running it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Inputs that are not weights.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Answering>,
    /// Opset of the standard domain.
    pub opset: i64,
    /// Exporter, as it names itself.
    pub producer: String,
    /// Nodes, subgraphs not included.
    pub nodes: u64,
    /// How often each operator occurs.
    pub operators: BTreeMap<String, u64>,
    /// Values of all weights.
    pub weights: u64,
    /// Steps by constants that the picture goes through first.
    pub first_steps: Vec<Affine>,
    /// Channels that the first convolution reads.
    pub first_channels: Option<u64>,
}

/// Why a preprocessing was suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The input holds bytes.
    Bytes,
    /// The file itself brings values `0..=255` to its range.
    ScalesBytes,
    /// The file itself normalises values in `[0, 1]`.
    Normalises,
    /// Not three channels.
    NotColour,
    /// Nothing is said; most networks for colour photographs use ImageNet's statistics.
    ImageNet,
}

impl Reason {
    /// A frozen kebab-case id, for translations.
    pub fn id(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::ScalesBytes => "scales-bytes",
            Self::Normalises => "normalises",
            Self::NotColour => "not-colour",
            Self::ImageNet => "imagenet",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "its input holds bytes, so pixel values from 0 to 255 go in as they are",
            Self::ScalesBytes => {
                "it begins by scaling its input down by itself, so pixel values from 0 to 255 go in as they are"
            }
            Self::Normalises => "it begins by normalising its input by itself, so pixel values from 0 to 1 go in as they are",
            Self::NotColour => "it does not take three channels, so pixel values from 0 to 1 go in as they are",
            Self::ImageNet => {
                "the file does not say; most networks for colour photographs want ImageNet's mean and standard deviation"
            }
        })
    }
}

/// ImageNet's statistics per channel of RGB, in pixel values `[0, 1]` (torchvision).
const IMAGENET: ([f32; 3], [f32; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// Side of the input where the file does not say.
const SIDE: u64 = 224;

impl Declared {
    /// The input that is most likely the picture, and the order of its axes.
    fn picture(&self) -> (Option<&Port>, Layout) {
        let depth = |d: Option<u64>| d.is_some_and(|d| matches!(d, 1 | 3 | 4));
        let layout = |p: &Port| match (depth(p.dim(1)), depth(p.dim(3))) {
            (false, true) => Layout::Nhwc,
            // Both may be channels only in pictures of four pixels or fewer.
            _ => Layout::Nchw,
        };
        let four = self.inputs.iter().filter(|p| p.rank() == Some(4));
        let found = four
            .clone()
            .find(|p| depth(p.dim(1)) || depth(p.dim(3)))
            .or_else(|| four.clone().next());
        let found = found.or(self.inputs.first());
        (found, found.map_or(Layout::Nchw, layout))
    }

    /// Why [`Declared::suggest`] chose its preprocessing.
    pub fn reason(&self) -> Reason {
        let (port, _) = self.picture();
        if port.is_some_and(|p| p.dtype == "uint8") {
            return Reason::Bytes;
        }
        // Where does the middle of the range end up, and how wide does it get, if values go up to 255?
        let (mut low, mut high) = (0f32, 255f32);
        for step in &self.first_steps {
            let by = |c: &[f32]| c.iter().sum::<f32>() / c.len().max(1) as f32;
            (low, high) = match step {
                Affine::Add(c) => (low + by(c), high + by(c)),
                Affine::Mul(c) => (low * by(c), high * by(c)),
            };
        }
        let bytes_fit = low.abs().max(high.abs()) <= 16.0 || self.subtracts_bytes();
        match (self.first_steps.is_empty(), bytes_fit) {
            (false, true) => Reason::ScalesBytes,
            (false, false) => Reason::Normalises,
            _ if self.channels() != 3 => Reason::NotColour,
            _ => Reason::ImageNet,
        }
    }

    /// A mean between 16 and 240 is one of byte values.
    fn subtracts_bytes(&self) -> bool {
        matches!(self.first_steps.first(), Some(Affine::Add(c)) if c.iter().any(|v| (-240.0..-16.0).contains(v)))
    }

    fn channels(&self) -> u64 {
        let (port, layout) = self.picture();
        let axis = if layout == Layout::Nchw { 1 } else { 3 };
        port.and_then(|p| p.dim(axis)).or(self.first_channels).unwrap_or(3)
    }

    /// The card that the file most likely wants; [`Declared::reason`] says why this preprocessing. A guess, to be
    /// shown and corrected: nothing in a file tells how its pictures were prepared.
    pub fn suggest(&self) -> ModelCard {
        let (port, layout) = self.picture();
        let channels = self.channels();
        let (h, w) = if layout == Layout::Nchw { (2, 3) } else { (1, 2) };
        let side = |axis| port.and_then(|p| p.dim(axis)).unwrap_or(SIDE) as usize;
        let (height, width) = (side(h), side(w));
        let c = channels as usize;
        let (mean, std) = match self.reason() {
            Reason::ImageNet => (IMAGENET.0.to_vec(), IMAGENET.1.to_vec()),
            Reason::Bytes | Reason::ScalesBytes => (vec![0.0; c], vec![1.0 / 255.0; c]),
            Reason::Normalises | Reason::NotColour => (vec![0.0; c], vec![1.0; c]),
        };
        let square = height == width;
        let preprocessing = Preprocessing {
            resize: if square {
                ResizeMode::ShorterSide
            } else {
                ResizeMode::Stretch
            },
            // The usual share of the centre crop, for networks of photographs.
            size: if square && height >= 128 { height * 8 / 7 } else { 0 },
            crop: 0,
            interpolation: crate::model::card::Interpolation::default(),
            mean,
            std,
        };
        let shape = match layout {
            Layout::Nchw => vec![1, c, height, width],
            Layout::Nhwc => vec![1, height, width, c],
        };
        ModelCard {
            id: "own".into(),
            name: String::new(),
            summary: String::new(),
            file: String::new(),
            sha256: String::new(),
            bytes: 0,
            labels: String::new(),
            input: InputCard {
                name: port.map(|p| p.name.clone()).unwrap_or_default(),
                shape,
                layout,
            },
            preprocessing,
            output: OutputCard {
                name: self.answer().map(|a| a.port.name.clone()).unwrap_or_default(),
                head: "auto".into(),
            },
            layers: super::card::LayersCard::default(),
            source: super::card::SourceCard::default(),
            sample: Vec::new(),
        }
    }

    /// Why the suggested card says what it says, one sentence each.
    pub fn reasons(&self) -> Vec<String> {
        let (port, layout) = self.picture();
        let mut reasons = Vec::new();
        if let Some(port) = port {
            let order = match layout {
                Layout::Nchw => "channels before rows and columns",
                Layout::Nhwc => "channels last",
            };
            reasons.push(format!("The picture goes in as {port}, {order}."));
            let (h, w) = if layout == Layout::Nchw { (2, 3) } else { (1, 2) };
            if port.dim(h).is_none() || port.dim(w).is_none() {
                reasons.push(format!(
                    "The file does not fix the size of the picture; {SIDE} pixels are usual."
                ));
            }
        }
        reasons.push(format!("Preprocessing: {}.", self.reason()));
        if let Some(answer) = self.answer() {
            let head = match answer.head {
                Head::Logits => "gives scores (logits)",
                Head::Softmax => "ends in a softmax; the scores before it are used",
                Head::LogSoftmax => "ends in a log-softmax; the scores before it are used",
                Head::Sigmoid => "ends in a sigmoid; the scores before it are used",
            };
            let classes = self.classes().map_or(String::new(), |k| format!(" for {k} classes"));
            reasons.push(format!("The output \"{}\" {head}{classes}.", answer.port.name));
        }
        reasons
    }

    /// The output that most likely holds one score a class: the first of the shape `[N, K]`, else the first.
    pub fn answer(&self) -> Option<&Answering> {
        let scores = |a: &&Answering| {
            let rank = a.port.rank().unwrap_or(0);
            rank >= 2 && a.port.dim(1) != Some(1) && (2..rank).all(|i| a.port.dim(i) == Some(1))
        };
        self.outputs.iter().find(scores).or(self.outputs.first())
    }

    /// Number of classes, where the file declares it.
    pub fn classes(&self) -> Option<u64> {
        self.answer().and_then(|a| a.port.dim(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dtype: &str, shape: &[Option<u64>], first_steps: Vec<Affine>) -> Declared {
        Declared {
            inputs: vec![Port {
                name: "x".into(),
                dtype: dtype.into(),
                shape: Some(shape.to_vec()),
            }],
            outputs: Vec::new(),
            opset: 17,
            producer: String::new(),
            nodes: 1,
            operators: BTreeMap::new(),
            weights: 0,
            first_steps,
            first_channels: None,
        }
    }

    #[test]
    fn layout_and_size_follow_the_declared_shape() {
        type Case<'a> = (&'a [Option<u64>], Layout, [usize; 3]);
        let cases: [Case; 6] = [
            (&[None, Some(3), Some(32), Some(48)], Layout::Nchw, [3, 32, 48]),
            (&[Some(1), Some(32), Some(48), Some(3)], Layout::Nhwc, [3, 32, 48]),
            (&[None, Some(1), None, None], Layout::Nchw, [1, 224, 224]),
            (&[None, None, None, Some(3)], Layout::Nhwc, [3, 224, 224]),
            (&[None, None, None, None], Layout::Nchw, [3, 224, 224]),
            (&[None, Some(3), Some(4), Some(4)], Layout::Nchw, [3, 4, 4]),
        ];
        for (shape, layout, dims) in cases {
            let card = file("float", shape, Vec::new()).suggest();
            assert_eq!((card.input.layout, card.dims()), (layout, dims), "{shape:?}");
            card.check().expect("a suggested card holds");
        }
    }

    #[test]
    fn preprocessing_follows_what_the_file_does_first() {
        let rgb = [None, Some(3), Some(224), Some(224)];
        let grey = [None, Some(1), Some(28), Some(28)];
        let cases = [
            (file("float", &rgb, vec![]), Reason::ImageNet),
            (file("uint8", &rgb, vec![]), Reason::Bytes),
            (file("float", &grey, vec![]), Reason::NotColour),
            (
                file("float", &rgb, vec![Affine::Mul(vec![1.0 / 255.0])]),
                Reason::ScalesBytes,
            ),
            (
                file("float", &rgb, vec![Affine::Add(vec![-123.7, -116.8, -103.9])]),
                Reason::ScalesBytes,
            ),
            (
                file(
                    "float",
                    &rgb,
                    vec![Affine::Mul(vec![1.0 / 127.5]), Affine::Add(vec![-1.0])],
                ),
                Reason::ScalesBytes,
            ),
            (
                file(
                    "float",
                    &rgb,
                    vec![Affine::Add(vec![-0.485]), Affine::Mul(vec![1.0 / 0.229])],
                ),
                Reason::Normalises,
            ),
            (
                file("float", &rgb, vec![Affine::Mul(vec![2.0]), Affine::Add(vec![-1.0])]),
                Reason::Normalises,
            ),
        ];
        for (inspection, reason) in cases {
            assert_eq!(inspection.reason(), reason, "{:?}", inspection.first_steps);
            let space = inspection.suggest().preprocessing.normalisation();
            let top = space.forward(0, 1.0);
            match reason {
                Reason::Bytes | Reason::ScalesBytes => assert!((top - 255.0).abs() < 1e-3),
                Reason::Normalises | Reason::NotColour => assert!((top - 1.0).abs() < 1e-6),
                Reason::ImageNet => assert!((top - (1.0 - 0.485) / 0.229).abs() < 1e-6),
            }
        }
    }
}
