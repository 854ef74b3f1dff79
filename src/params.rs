//! Parameters of methods, metrics and imputers: declared once, they give a struct, its defaults, its checks, the
//! schema for generated forms and the values for provenance.

use std::collections::BTreeMap;

use crate::error::InputError;

/// A parameter's value as it travels: in links, on the command line, in provenance.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// A number; integers are whole numbers.
    Number(f64),
    /// One of a choice, or a name.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// Parameter values by name. Names that are missing take their defaults; unknown names are refused.
pub type ParamValues = BTreeMap<String, ParamValue>;

/// What a parameter may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamKind {
    /// A whole number in an inclusive range.
    Integer {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// A real number in an inclusive range.
    Real {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A layer of the network by name; empty means the model card's default.
    Layer,
    /// A method by its id.
    Method,
    /// Yes or no.
    Flag,
}

/// One declared parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// Name, as used everywhere.
    pub name: &'static str,
    /// What it may hold.
    pub kind: ParamKind,
    /// Value when not given.
    pub default: ParamValue,
    /// What it means, with its unit; one sentence or two.
    pub doc: &'static str,
}

/// A set of parameters; implemented by [`params!`](crate::params!) only.
pub trait Params: Sized {
    /// The declared parameters in order.
    fn specs() -> Vec<ParamSpec>;
    /// Values from names, with defaults; refuses unknown names, wrong kinds and values out of range by name.
    fn parse(values: &ParamValues) -> Result<Self, InputError>;
    /// All values, defaults included.
    fn values(&self) -> ParamValues;
}

/// A type that a parameter can have.
pub trait ParamField: Sized {
    /// From a value already checked against its kind.
    fn from_value(value: &ParamValue) -> Option<Self>;
    /// To a value.
    fn to_value(&self) -> ParamValue;
}

impl ParamField for usize {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Number(n) if n.fract() == 0.0 && *n >= 0.0 => Some(*n as usize),
            _ => None,
        }
    }
    fn to_value(&self) -> ParamValue {
        ParamValue::Number(*self as f64)
    }
}

impl ParamField for f64 {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Number(n) => Some(*n),
            _ => None,
        }
    }
    fn to_value(&self) -> ParamValue {
        ParamValue::Number(*self)
    }
}

impl ParamField for bool {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Flag(b) => Some(*b),
            _ => None,
        }
    }
    fn to_value(&self) -> ParamValue {
        ParamValue::Flag(*self)
    }
}

impl ParamField for String {
    fn from_value(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Text(t) => Some(t.clone()),
            _ => None,
        }
    }
    fn to_value(&self) -> ParamValue {
        ParamValue::Text(self.clone())
    }
}

impl ParamSpec {
    /// Checks a value against the declared kind and range.
    pub fn check(&self, value: &ParamValue) -> Result<(), InputError> {
        let fail = |why: String| {
            Err(InputError::Param {
                field: self.name.to_owned(),
                why,
            })
        };
        match (&self.kind, value) {
            (ParamKind::Integer { min, max } | ParamKind::Real { min, max }, ParamValue::Number(n)) => {
                if !(*min..=*max).contains(n) {
                    return fail(format!("{n} is not between {min} and {max}"));
                }
                if matches!(self.kind, ParamKind::Integer { .. }) && n.fract() != 0.0 {
                    return fail(format!("{n} is not a whole number"));
                }
                Ok(())
            }
            (ParamKind::Choice(choices), ParamValue::Text(t)) => {
                if choices.contains(&t.as_str()) {
                    Ok(())
                } else {
                    fail(format!("\"{t}\" is none of {}", choices.join(", ")))
                }
            }
            (ParamKind::Layer | ParamKind::Method, ParamValue::Text(_)) | (ParamKind::Flag, ParamValue::Flag(_)) => {
                Ok(())
            }
            (kind, _) => fail(match kind {
                ParamKind::Integer { min, max } => format!("a whole number between {min} and {max} is needed"),
                ParamKind::Real { min, max } => format!("a number between {min} and {max} is needed"),
                ParamKind::Choice(choices) => format!("one of {} is needed", choices.join(", ")),
                ParamKind::Layer => "the name of a layer is needed".to_owned(),
                ParamKind::Method => "the id of a method is needed".to_owned(),
                ParamKind::Flag => "true or false is needed".to_owned(),
            }),
        }
    }

    /// Reads a value from text (the command line, a link) by the declared kind.
    pub fn read(&self, text: &str) -> Result<ParamValue, InputError> {
        let value = match self.kind {
            ParamKind::Integer { .. } | ParamKind::Real { .. } => text.parse().ok().map(ParamValue::Number),
            ParamKind::Choice(_) | ParamKind::Layer | ParamKind::Method => Some(ParamValue::Text(text.to_owned())),
            ParamKind::Flag => text.parse().ok().map(ParamValue::Flag),
        };
        let value = value.unwrap_or_else(|| ParamValue::Text(text.to_owned()));
        self.check(&value).map(|()| value)
    }
}

/// Refuses names that `specs` does not declare, and checks the others.
pub fn check_all(specs: &[ParamSpec], values: &ParamValues) -> Result<(), InputError> {
    for (name, value) in values {
        let Some(spec) = specs.iter().find(|s| s.name == name) else {
            let known: Vec<_> = specs.iter().map(|s| s.name).collect();
            let why = if known.is_empty() {
                "there are no parameters here".to_owned()
            } else {
                format!("there is no such parameter; there are: {}", known.join(", "))
            };
            return Err(InputError::Param {
                field: name.clone(),
                why,
            });
        };
        spec.check(value)?;
    }
    Ok(())
}

/// Declares a parameter struct: `name: type = default, kind;` with the doc comment as the form's help.
///
/// Kinds: `int(1, 1000)`, `real(0.0, 1.0)`, `choice("a", "b")` (type `String`), `layer` and `method` (type
/// `String`), `flag`.
#[macro_export]
macro_rules! params {
    (@kind int($min:expr, $max:expr)) => { $crate::params::ParamKind::Integer { min: f64::from($min), max: f64::from($max) } };
    (@kind real($min:expr, $max:expr)) => { $crate::params::ParamKind::Real { min: $min, max: $max } };
    (@kind choice($($c:literal),+)) => { $crate::params::ParamKind::Choice(&[$($c),+]) };
    (@kind layer) => { $crate::params::ParamKind::Layer };
    (@kind method) => { $crate::params::ParamKind::Method };
    (@kind flag) => { $crate::params::ParamKind::Flag };
    ($(#[$meta:meta])* pub struct $name:ident { $( $(#[doc = $doc:literal])+ $field:ident : $ty:ty = $default:expr, $kind:ident $(($($arg:tt)*))?; )* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $ty, )* }
        impl Default for $name {
            fn default() -> Self { Self { $( $field: <$ty>::from($default), )* } }
        }
        impl $crate::params::Params for $name {
            fn specs() -> Vec<$crate::params::ParamSpec> {
                #[allow(unused_variables)]
                let default = Self::default();
                vec![ $( $crate::params::ParamSpec {
                    name: stringify!($field),
                    kind: $crate::params!(@kind $kind $(($($arg)*))?),
                    default: $crate::params::ParamField::to_value(&default.$field),
                    doc: concat!($($doc),+).trim_ascii(),
                }, )* ]
            }
            fn parse(values: &$crate::params::ParamValues) -> Result<Self, $crate::error::InputError> {
                $crate::params::check_all(&Self::specs(), values)?;
                #[allow(unused_mut)]
                let mut parsed = Self::default();
                $( if let Some(value) = values.get(stringify!($field)) {
                    parsed.$field = $crate::params::ParamField::from_value(value).ok_or_else(|| $crate::error::InputError::Param {
                        field: stringify!($field).to_owned(), why: "a value of another kind is needed".to_owned(),
                    })?;
                } )*
                Ok(parsed)
            }
            fn values(&self) -> $crate::params::ParamValues {
                [ $( (stringify!($field).to_owned(), $crate::params::ParamField::to_value(&self.$field)), )* ].into_iter().collect()
            }
        }
    };
}

params! {
    /// No parameters.
    pub struct NoParams {}
}

#[cfg(test)]
mod tests {
    use super::*;

    params! {
        /// For the tests.
        pub struct Sample {
            /// How many.
            samples: usize = 8usize, int(1, 100);
            /// How.
            how: String = "slow", choice("slow", "fast");
            /// Share.
            share: f64 = 0.5, real(0.0, 1.0);
            /// Whether.
            signed: bool = true, flag;
        }
    }

    fn parse(name: &str, value: ParamValue) -> Result<Sample, InputError> {
        Sample::parse(&[(name.to_owned(), value)].into_iter().collect())
    }

    #[test]
    fn defaults_survive_a_round_trip() {
        assert_eq!(Sample::parse(&Sample::default().values()), Ok(Sample::default()));
        assert_eq!(Sample::specs()[0].doc, "How many.");
    }

    #[test]
    fn bad_values_are_refused_by_name_and_range() {
        let cases = [
            ("samples", ParamValue::Number(0.0), "between 1 and 100"),
            ("samples", ParamValue::Number(1.5), "whole number"),
            ("samples", ParamValue::Number(f64::NAN), "between"),
            ("how", ParamValue::Text("best".into()), "slow, fast"),
            ("share", ParamValue::Flag(true), "between 0 and 1"),
            ("nothing", ParamValue::Number(1.0), "samples"),
        ];
        for (name, value, part) in cases {
            let error = parse(name, value).expect_err(name).to_string();
            assert!(error.contains(name) && error.contains(part), "{error}");
        }
    }
}
