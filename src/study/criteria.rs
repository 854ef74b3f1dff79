//! What the criteria say of each imputer, over pictures, masks and shares.

use std::collections::BTreeMap;

use super::Table;
use super::sample::{Estimate, bootstrap, mean};

/// Columns that hold words: picture, imputer, mask.
pub const WORDS: usize = 3;
/// Columns of a file of criteria.
pub const COLUMNS: &str = "picture,imputer,mask,percent,psnr,ssim,feature-distance,detectability,mahalanobis-shift,energy-shift,\
    class-leakage,diversity,probability,changed,ms,reason";

/// Which pixels are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Single pixels, drawn alike.
    Scattered,
    /// Blobs: where smooth noise is highest.
    Blobs,
    /// Whole cells of a grid of 8 × 8, drawn alike.
    Cells,
    /// Blobs of the known background only; the share is of that.
    Background,
    /// The known object, and nothing else.
    Object,
    /// The known object of another picture, of another class, beside the picture's own: is that class then seen?
    Shape,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Scattered,
        Self::Blobs,
        Self::Cells,
        Self::Background,
        Self::Object,
        Self::Shape,
    ];

    /// As it is written.
    pub fn id(self) -> &'static str {
        match self {
            Self::Scattered => "scattered",
            Self::Blobs => "blobs",
            Self::Cells => "cells",
            Self::Background => "background",
            Self::Object => "object",
            Self::Shape => "shape",
        }
    }

    /// Whether it takes a picture whose object is known.
    pub fn needs_truth(self) -> bool {
        matches!(self, Self::Background | Self::Object | Self::Shape)
    }

    /// Whether it comes in shares.
    pub fn has_share(self) -> bool {
        !matches!(self, Self::Object | Self::Shape)
    }
}

/// The rows, by imputer.
pub struct Measured<'a> {
    table: &'a Table,
    /// Imputers that were measured on more than half of the pictures that any was, in the order of the file.
    pub imputers: Vec<&'a str>,
    /// The others.
    pub left_out: Vec<&'a str>,
    /// Pictures on which each of `imputers` was measured as often as any.
    pub pictures: Vec<&'a str>,
    of: BTreeMap<(&'a str, &'a str), Vec<&'a Vec<String>>>,
}

impl<'a> Measured<'a> {
    /// From a file of criteria.
    pub fn new(table: &'a Table) -> Self {
        let (mut all, mut pictures): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut of: BTreeMap<(&str, &str), Vec<&Vec<String>>> = BTreeMap::new();
        for row in &table.rows {
            let (picture, imputer) = (row[0].as_str(), row[1].as_str());
            if !all.contains(&imputer) {
                all.push(imputer);
            }
            if !pictures.contains(&picture) {
                pictures.push(picture);
            }
            of.entry((imputer, picture)).or_default().push(row);
        }
        let count = |imputer: &str, picture: &str| of.get(&(imputer, picture)).map_or(0, Vec::len);
        let whole = |imputer: &str, picture: &str| {
            count(imputer, picture) == all.iter().map(|other| count(other, picture)).max().unwrap_or(0)
        };
        let measured = |imputer: &str| pictures.iter().filter(|p| whole(imputer, p)).count();
        let most = all.iter().map(|i| measured(i)).max().unwrap_or(0);
        let (imputers, left_out): (Vec<&str>, Vec<&str>) = all.iter().partition(|i| 2 * measured(i) > most);
        let complete = |p: &&str| imputers.iter().all(|i| whole(i, p));
        Self {
            table,
            pictures: pictures.iter().copied().filter(complete).collect(),
            imputers,
            left_out,
            of,
        }
    }

    /// The mean of a column over the rows of these masks: first a picture, then over pictures.
    pub fn mean(&self, imputer: &str, column: &str, masks: &[Kind]) -> Option<Estimate> {
        let at = self.table.column(column).ok()?;
        let one = |picture: &&str| {
            let rows = self.of.get(&(imputer, *picture))?.iter();
            let of = rows.filter(|row| masks.iter().any(|kind| kind.id() == row[2]));
            mean(of.filter_map(|row| row[at].parse::<f64>().ok()))
        };
        let values: Vec<f64> = self.pictures.iter().filter_map(one).collect();
        bootstrap(values.len(), column, |drawn| mean(drawn.iter().map(|&i| values[i])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imputers_are_compared_on_the_same_pictures() {
        let mut text = format!("# asked\n{COLUMNS}\n");
        let row = |picture: &str, imputer: &str, mask: &str, psnr: f64| {
            format!("{picture},{imputer},{mask},50,{psnr}{}\n", ",".repeat(11))
        };
        for (picture, psnr) in [("a", 10.0), ("b", 20.0), ("c", 60.0)] {
            text += &row(picture, "one", "blobs", psnr);
            text += &row(picture, "one", "object", 1000.0);
            if picture != "c" {
                text += &row(picture, "two", "blobs", psnr + 1.0);
                text += &row(picture, "two", "object", 1000.0);
            }
        }
        text += &row("a", "three", "blobs", 99.0);
        let table = Table::parse(&text, WORDS).unwrap();
        let found = Measured::new(&table);
        assert_eq!(
            (found.imputers.clone(), found.left_out.clone()),
            (vec!["one", "two"], vec!["three"])
        );
        assert_eq!(found.pictures, ["a", "b"]);
        let mean = |id: &str| found.mean(id, "psnr", &[Kind::Blobs]).unwrap();
        assert!((mean("one").value - 15.0).abs() < 1e-12 && (mean("two").value - 16.0).abs() < 1e-12);
        assert!(mean("one").low >= 10.0 && mean("one").high <= 20.0);
        assert!(found.mean("one", "ssim", &[Kind::Blobs]).is_none());
    }
}
