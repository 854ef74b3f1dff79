//! The report's two languages: how each writes numbers and lists.

use crate::study::sample::Estimate;

/// A language of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// Its code.
    pub fn code(self) -> &'static str {
        self.pick("en", "fr")
    }

    /// The text in this language.
    pub fn pick<'a>(self, english: &'a str, french: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// With so many decimals.
    pub fn number(self, value: f64, digits: usize) -> String {
        self.decimal(&format!("{value:.digits$}"))
    }

    /// A number that was written with a point.
    pub fn decimal(self, number: &str) -> String {
        match self {
            Self::English => number.to_owned(),
            Self::French => number.replace('.', ","),
        }
    }

    /// `value [low, high]`, with so many decimals; a semicolon parts numbers that have commas of their own.
    pub fn estimate(self, e: &Estimate, digits: usize) -> String {
        let [value, low, high] = [e.value, e.low, e.high].map(|v| self.number(v, digits));
        match self {
            Self::English => format!("{value} [{low}, {high}]"),
            Self::French => format!("{value} [{low} ; {high}]"),
        }
    }

    /// `a, b and c`.
    pub fn listed(self, names: &[&str]) -> String {
        match names {
            [] => self.pick("none", "aucun").to_owned(),
            [only] => (*only).to_owned(),
            [some @ .., last] => format!("{} {} {last}", some.join(", "), self.pick("and", "et")),
        }
    }
}

/// A text with values in it, in the language that is asked for. Both name the values as variables.
macro_rules! say {
    ($language:expr, $english:literal, $french:literal $(,)?) => {
        match $language {
            $crate::study::report::Language::English => format!($english),
            $crate::study::report::Language::French => format!($french),
        }
    };
}
pub(super) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_numbers_have_commas() {
        let e = Estimate {
            value: 0.5,
            low: -0.25,
            high: 1.0,
        };
        assert_eq!(Language::English.estimate(&e, 2), "0.50 [-0.25, 1.00]");
        assert_eq!(Language::French.estimate(&e, 2), "0,50 [-0,25 ; 1,00]");
        assert_eq!(Language::French.listed(&["a", "b", "c"]), "a, b et c");
        assert_eq!(Language::English.listed(&["a"]), "a");
    }
}
