//! What the criteria say of each imputer.

use super::scores::listed;
use super::{Figure, Grid, Section, Set};
use crate::imputer;
use crate::study::criteria::{Kind, Measured};
use crate::study::sample::Estimate;
use crate::study::{Table, figure};

/// A column of the table of criteria: its heading, the column of the data, the masks, decimals.
pub(super) type Measure = (&'static str, &'static str, &'static [Kind], usize);

pub(super) const ANY: &[Kind] = &[Kind::Scattered, Kind::Blobs, Kind::Cells];
pub(super) const MEASURES: [Measure; 12] = [
    ("PSNR, dB", "psnr", ANY, 1),
    ("SSIM", "ssim", ANY, 2),
    ("feature distance", "feature-distance", ANY, 2),
    ("detectability", "detectability", ANY, 2),
    ("Mahalanobis shift", "mahalanobis-shift", ANY, 2),
    ("energy shift", "energy-shift", ANY, 2),
    ("class from the frame", "class-leakage", ANY, 3),
    ("class without the object", "probability", &[Kind::Object], 3),
    ("class of a shape", "probability", &[Kind::Shape], 3),
    ("answer changed by background", "changed", &[Kind::Background], 2),
    ("diversity", "diversity", ANY, 3),
    ("ms", "ms", ANY, 1),
];

/// Whether less is better, for those measures of which that can be said.
pub(super) fn better_low(name: &str) -> Option<bool> {
    match name {
        "PSNR, dB" | "SSIM" => Some(false),
        "diversity" | "Mahalanobis shift" => None,
        _ => Some(true),
    }
}

pub(super) fn criteria(set: &Set, table: &Table, bytes: &[(String, u64)]) -> Section {
    let measured = Measured::new(table);
    let network = &set.network;
    let known: Vec<&Measure> = MEASURES
        .iter()
        .filter(|(_, column, masks, _)| {
            measured
                .imputers
                .iter()
                .any(|i| measured.mean(i, column, masks).is_some())
        })
        .collect();
    let mut columns = vec!["imputer".to_owned()];
    columns.extend(known.iter().map(|m| m.0.to_owned()));
    columns.push("bytes".to_owned());
    let size = |id: &str| {
        let network = imputer::find(id).ok().and_then(|i| i.meta().network);
        let found = network.and_then(|n| bytes.iter().find(|(name, _)| name == n));
        found.map_or_else(|| "0".to_owned(), |(_, bytes)| bytes.to_string())
    };
    let rows = measured
        .imputers
        .iter()
        .map(|id| {
            let mut row = vec![(*id).to_owned()];
            row.extend(known.iter().map(|(_, column, masks, digits)| {
                measured
                    .mean(id, column, masks)
                    .map_or_else(|| "–".to_owned(), |e| format!("{:.digits$}", e.value))
            }));
            row.push(size(id));
            row
        })
        .collect();
    let grid = Grid {
        id: format!("{network}-criteria"),
        caption: format!(
            "Criteria on {network}: means over {} pictures, and over single pixels, blobs and cells where nothing else is said.",
            measured.pictures.len()
        ),
        columns,
        rows,
    };
    let mut text = vec![
        "Masks that no explanation made: single pixels, blobs of smooth noise, cells of 8 × 8; with known objects also blobs of the \
         background only, the object itself, and another picture's object beside the own one. \"Class without the object\" is the \
         probability of the picture's class once its object is removed: whatever is above one over the number of classes comes \
         from the filling or from the hole's shape. \"Class of a shape\" is the probability of the other picture's class, of which nothing but the \
         hole's shape was given. Milliseconds are of this library on one thread of the machine that ran the study, in a build that \
         was not optimised for speed, beside other work: compare them with one another only."
            .to_owned(),
    ];
    if !measured.left_out.is_empty() {
        text.push(format!(
            "Measured on too few pictures yet: {}.",
            listed(&measured.left_out)
        ));
    }
    text.extend(merits(&measured, &known));
    let mut figures = Vec::new();
    for (id, caption, axis, column, masks) in [
        (
            "object",
            "Does the class come back once its object is removed?",
            "probability of the picture's class",
            "probability",
            &[Kind::Object][..],
        ),
        (
            "energy",
            "How much less does the network recognise?",
            "energy shift, in logits",
            "energy-shift",
            ANY,
        ),
        (
            "features",
            "How far from the picture in the network's features?",
            "feature distance",
            "feature-distance",
            ANY,
        ),
    ] {
        let of = |id: &&str| Some(((*id).to_owned(), measured.mean(id, column, masks)?));
        let mut values: Vec<(String, Estimate)> = measured.imputers.iter().filter_map(of).collect();
        values.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        if !values.is_empty() {
            figures.push(Figure {
                id: format!("{network}-{id}"),
                caption: caption.to_owned(),
                svg: figure::dots(caption, axis, &values, &[]),
            });
        }
    }
    Section {
        id: format!("criteria-{network}"),
        title: format!("Criteria on {network}"),
        text,
        tables: vec![grid],
        figures,
    }
}

/// Values that are nearer than this are equal.
pub(super) const TIE: f64 = 1e-9;

/// What each imputer is best and worst at.
pub(super) fn merits(measured: &Measured<'_>, known: &[&Measure]) -> Vec<String> {
    let count = measured.imputers.len();
    let third = count / 3;
    if third == 0 {
        return Vec::new();
    }
    let mut best: Vec<Vec<&str>> = vec![Vec::new(); count];
    let mut worst: Vec<Vec<&str>> = vec![Vec::new(); count];
    for (name, column, masks, _) in known {
        let Some(low) = better_low(name) else { continue };
        let sign = if low { 1.0 } else { -1.0 };
        let of = |(k, id): (usize, &&str)| Some((k, sign * measured.mean(id, column, masks)?.value));
        let values: Vec<(usize, f64)> = measured.imputers.iter().enumerate().filter_map(of).collect();
        // Equal values are no merit of one of them.
        for &(k, own) in &values {
            let others = values.iter().filter(|(other, _)| *other != k);
            if others.clone().filter(|(_, v)| *v <= own + TIE).count() < third {
                best[k].push(name);
            } else if others.filter(|(_, v)| *v >= own - TIE).count() < third {
                worst[k].push(name);
            }
        }
    }
    let mut text = vec!["Advantages and drawbacks: where an imputer is in the best or in the worst third.".to_owned()];
    for (k, id) in measured.imputers.iter().enumerate() {
        text.push(format!(
            "- **{id}**: good in {}; bad in {}.",
            listed(&best[k]),
            listed(&worst[k])
        ));
    }
    text
}
