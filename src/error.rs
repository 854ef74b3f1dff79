//! Errors by whose fault they are. Each has a stable code, a place, and where possible a cure.

use thiserror::Error as ThisError;

/// The file is not a network we can run.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not a readable ONNX file.
    #[error("this is not a readable ONNX file: {why}")]
    Parse {
        /// What the reader said.
        why: String,
    },
    /// An operator that the engine does not know, or not in this form.
    #[error("node \"{node}\" uses the operator {op} (opset {opset}), which can't be run: {why}")]
    UnsupportedOp {
        /// ONNX operator type.
        op: String,
        /// ONNX node name (or its first output where unnamed).
        node: String,
        /// Opset version of the operator's domain.
        opset: i64,
        /// What the engine said.
        why: String,
    },
    /// Input or output of a shape that is no image classifier's.
    #[error("{what} has the shape {shape}, but {expected}")]
    Shape {
        /// Which tensor.
        what: String,
        /// Its shape as text.
        shape: String,
        /// What is needed instead.
        expected: String,
    },
    /// A size over a limit, found before memory was taken for it.
    #[error("{what} is {found}, over the limit of {limit}")]
    OverLimit {
        /// What was measured.
        what: String,
        /// Its size.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// A model card with a wrong or missing field.
    #[error("model card: {field}: {why}")]
    Card {
        /// Field path.
        field: String,
        /// What is wrong.
        why: String,
    },
}

/// The picture, map, mask or a parameter can't be used.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum InputError {
    /// The bytes are no picture that can be decoded.
    #[error("{what} can't be decoded: {why}")]
    Decode {
        /// Which file.
        what: String,
        /// What the decoder said.
        why: String,
    },
    /// A tensor, map or mask of another shape than needed.
    #[error("{what} has the shape {found:?}, but {expected} is needed")]
    Shape {
        /// Which array.
        what: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape needed, in words.
        expected: String,
    },
    /// An array that holds NaN or infinity.
    #[error("{what} holds values that are not finite numbers")]
    NotFinite {
        /// Which array.
        what: String,
    },
    /// A parameter out of range or of the wrong kind.
    #[error("parameter {field}: {why}")]
    Param {
        /// Parameter name.
        field: String,
        /// What is wrong, with the range.
        why: String,
    },
    /// An id that no registry holds.
    #[error("there is no {what} called \"{id}\"; there are: {known}")]
    Unknown {
        /// Kind of thing.
        what: &'static str,
        /// The id asked for.
        id: String,
        /// The ids there are.
        known: String,
    },
    /// An imputer that can't fill this mask.
    #[error("the imputer {imputer} can't fill this: {why}")]
    CannotImpute {
        /// Imputer id.
        imputer: &'static str,
        /// Why not.
        why: String,
    },
    /// An operator that missing pixels can't be carried through.
    #[error(
        "missing pixels can't be carried through the node \"{node}\" ({op}), which mixes places in another way than \
         convolutions and pools do"
    )]
    CannotCarry {
        /// Operator type in the engine's typed vocabulary.
        op: String,
        /// Node name.
        node: String,
    },
    /// A picture or file over a limit.
    #[error("{what} is {found}, over the limit of {limit}")]
    OverLimit {
        /// What was measured.
        what: String,
        /// Its size.
        found: u64,
        /// The limit.
        limit: u64,
    },
}

fn ended(ends: &[String]) -> String {
    match ends {
        [] => String::new(),
        [first] => format!(": the way back ends at {first}"),
        [first, others @ ..] => format!(": the way back ends at {first} and {} more", others.len()),
    }
}

/// The network can't be differentiated.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum GradientError {
    /// An operator without a gradient rule lies between the input and the target.
    #[error("node \"{node}\" ({op}) has no gradient rule{}", if .why.is_empty() { String::new() } else { format!(": {}", .why) })]
    NoRule {
        /// Operator type in the engine's typed vocabulary.
        op: String,
        /// Node name.
        node: String,
        /// Which form is not covered, or empty.
        why: String,
    },
    /// The target does not depend on what it is differentiated by.
    #[error("the answer does not depend on {what} by any differentiable path{}", ended(ends))]
    Unreached {
        /// The input or layer.
        what: String,
        /// The operators, with their nodes, at which the paths from it end: they round, compare or pick.
        ends: Vec<String>,
    },
    /// No layer of that name.
    #[error("there is no layer \"{layer}\"; there are: {known}")]
    NoLayer {
        /// The layer asked for.
        layer: String,
        /// The layers there are.
        known: String,
    },
}

/// Running the network failed.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum RunError {
    /// The answer holds NaN or infinity.
    #[error("the network's {what} is not a finite number for this input")]
    NonFinite {
        /// Which value.
        what: String,
    },
    /// The engine failed.
    #[error("the engine failed: {why}")]
    Backend {
        /// What it said.
        why: String,
    },
    /// A worker of the pool went away.
    #[error("a worker stopped: {why}")]
    WorkerLost {
        /// What is known.
        why: String,
    },
}

/// Everything that can go wrong; cancellation is an outcome, not a fault, and travels here only to unwind.
#[derive(Clone, Debug, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// See [`LoadError`].
    #[error(transparent)]
    Load(#[from] LoadError),
    /// See [`InputError`].
    #[error(transparent)]
    Input(#[from] InputError),
    /// See [`GradientError`].
    #[error(transparent)]
    Gradient(#[from] GradientError),
    /// See [`RunError`].
    #[error(transparent)]
    Run(#[from] RunError),
    /// The job was cancelled by its owner.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// A wrong parameter.
    pub fn param(field: impl Into<String>, why: impl Into<String>) -> Self {
        InputError::Param {
            field: field.into(),
            why: why.into(),
        }
        .into()
    }

    /// A stable kebab-case id, also the anchor of the error's documentation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Load(e) => match e {
                LoadError::Parse { .. } => "model-unreadable",
                LoadError::UnsupportedOp { .. } => "model-operator",
                LoadError::Shape { .. } => "model-shape",
                LoadError::OverLimit { .. } => "model-limit",
                LoadError::Card { .. } => "model-card",
            },
            Self::Input(e) => match e {
                InputError::Decode { .. } => "picture-unreadable",
                InputError::Shape { .. } => "input-shape",
                InputError::NotFinite { .. } => "input-not-finite",
                InputError::Param { .. } => "parameter",
                InputError::Unknown { .. } => "unknown-id",
                InputError::CannotImpute { .. } | InputError::CannotCarry { .. } => "cannot-impute",
                InputError::OverLimit { .. } => "input-limit",
            },
            Self::Gradient(e) => match e {
                GradientError::NoRule { .. } => "gradient-rule",
                GradientError::Unreached { .. } => "gradient-unreached",
                GradientError::NoLayer { .. } => "no-layer",
            },
            Self::Run(e) => match e {
                RunError::NonFinite { .. } => "not-finite",
                RunError::Backend { .. } => "engine",
                RunError::WorkerLost { .. } => "worker-lost",
            },
            Self::Cancelled => "cancelled",
        }
    }

    /// The node, field or layer at fault.
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Load(LoadError::UnsupportedOp { node, .. })
            | Self::Gradient(GradientError::NoRule { node, .. })
            | Self::Input(InputError::CannotCarry { node, .. }) => Some(node),
            Self::Load(LoadError::Card { field, .. }) | Self::Input(InputError::Param { field, .. }) => Some(field),
            Self::Gradient(GradientError::NoLayer { layer, .. }) => Some(layer),
            _ => None,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self.code() {
            "model-unreadable" => "Export the network again as a single .onnx file with its weights inside.",
            "model-operator" => {
                "Export with a lower opset or without this operator; opset 17 with standard operators works best."
            }
            "model-shape" => "Lucarne runs image classifiers: one picture in, one score per class out.",
            "model-limit" | "input-limit" => "Use a smaller file or picture.",
            "model-card" => "Correct this field of the card.",
            "picture-unreadable" => "Use a PNG, JPEG or WebP picture.",
            "gradient-rule" | "gradient-unreached" => "Use a method that needs no gradient, such as occlusion or RISE.",
            "cannot-impute" => "Choose another imputer or remove less.",
            "not-finite" => "Check the preprocessing: mean, standard deviation and value range.",
            "worker-lost" => "Run it again; with fewer workers or a smaller network if it happens again.",
            _ => "",
        }
    }
}
