//! The report: what the rows say, in tables, figures and sentences whose numbers come from the rows.

use std::fmt::Write;

use super::Table;
use super::criteria::{Kind, Measured};
use super::figure;
use super::removal::{ORDERS, Study, Truth};
use super::sample::Estimate;
use crate::imputer;

/// What there is of one network.
pub struct Set {
    /// Id of the network.
    pub network: String,
    /// Curves and maps.
    pub removal: Option<Study>,
    /// Criteria.
    pub criteria: Option<Table>,
}

/// A table as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Name of its file.
    pub id: String,
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells.
    pub rows: Vec<Vec<String>>,
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Name of its file.
    pub id: String,
    /// What it shows.
    pub caption: String,
    /// The SVG.
    pub svg: String,
}

/// A part of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Name for links.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Paragraphs; one that begins with `- ` is an item of a list.
    pub text: Vec<String>,
    /// Tables.
    pub tables: Vec<Grid>,
    /// Figures.
    pub figures: Vec<Figure>,
}

/// ROAD's consistency of linear and of mean filling, on CIFAR-10 without retraining.
const ROAD: [(f64, &str); 2] = [(0.53, "ROAD, linear"), (0.01, "mean")];

/// The report's heading.
pub const TITLE: &str = "Removing pixels: which filling to trust";

/// One imputer's results on one network.
struct Line {
    id: String,
    consistency: Option<Estimate>,
    with_controls: Option<Estimate>,
    energy: Option<Estimate>,
    pointing: Option<Estimate>,
    blur: Option<Estimate>,
    left: Option<Estimate>,
    beyond: Option<Estimate>,
    separation: Option<Estimate>,
}

fn lines(study: &Study) -> Vec<Line> {
    let (explain, whole) = (study.explanations(), study.whole_maps());
    let line = |(i, id): (usize, &String)| Line {
        id: id.clone(),
        consistency: study.consistency(i, &explain),
        with_controls: study.consistency(i, &whole),
        energy: study.agreement(i, &whole, Truth::Energy),
        pointing: study.agreement(i, &whole, Truth::Pointing),
        blur: study.blur(i),
        left: study.left(i),
        beyond: study.beyond_random(i),
        separation: study.separation(i),
    };
    study.imputers.iter().enumerate().map(line).collect()
}

fn shown(estimate: Option<Estimate>) -> String {
    estimate.map_or_else(|| "–".to_owned(), |e| e.text(2))
}

/// By falling value; those without one last.
fn ranked(lines: &[Line], of: impl Fn(&Line) -> Option<Estimate>) -> Vec<(String, Estimate)> {
    let mut found: Vec<(String, Estimate)> = lines.iter().filter_map(|l| Some((l.id.clone(), of(l)?))).collect();
    found.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    found
}

fn scores(set: &Set, study: &Study, lines: &[Line]) -> Section {
    let network = &set.network;
    let mut columns = vec!["imputer", "MoRF against LeRF", "with controls"];
    if study.has_truth() {
        columns.extend(["agreement with the mask, energy", "pointing"]);
    }
    columns.extend([
        "gain by blurring",
        "left of the answer",
        "beyond random",
        "degraded maps in order",
    ]);
    let row = |l: &Line| {
        let mut row = vec![l.id.clone(), shown(l.consistency), shown(l.with_controls)];
        if study.has_truth() {
            row.extend([shown(l.energy), shown(l.pointing)]);
        }
        row.extend([l.blur, l.left, l.beyond, l.separation].map(shown));
        row
    };
    let grid = Grid {
        id: format!("{network}-scores"),
        caption: format!(
            "What each imputer makes of the same maps on {network}. In brackets the middle 95 % over samples of the {} pictures.",
            study.pictures.len()
        ),
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows: lines.iter().map(row).collect(),
    };
    let mut figures = Vec::new();
    let mut add = |id: &str, caption: &str, axis: &str, values: Vec<(String, Estimate)>, marks: &[(f64, &str)]| {
        if !values.is_empty() {
            figures.push(Figure {
                id: format!("{network}-{id}"),
                caption: caption.to_owned(),
                svg: figure::dots(caption, axis, &values, marks),
            });
        }
    };
    add(
        "consistency",
        "Do both orders rank the explanations alike?",
        "minus Spearman's correlation of MoRF and LeRF, mean over the removed shares",
        ranked(lines, |l| l.consistency),
        &ROAD,
    );
    add(
        "agreement",
        "Are methods ranked as their maps' share inside the object says?",
        "Spearman's correlation, mean of both orders",
        ranked(lines, |l| l.energy),
        &[],
    );
    add(
        "separation",
        "Are scrambled maps told from whole ones?",
        "Spearman's correlation with the known order, mean over pictures and orders",
        ranked(lines, |l| l.separation),
        &[],
    );
    add(
        "left",
        "How much of the answer is left while an explanation's best pixels are removed?",
        "mean probability over the picture's own",
        ranked(lines, |l| l.left),
        &[],
    );
    for (order, name) in ORDERS.iter().enumerate() {
        let series: Vec<(String, Vec<(f64, f64)>)> = study
            .imputers
            .iter()
            .enumerate()
            .map(|(i, id)| (id.clone(), study.mean_curve(i, order)))
            .collect();
        let caption = match *name {
            "morf" => "The answer while the most relevant pixels are removed first",
            _ => "The answer while the least relevant pixels are removed first",
        };
        figures.push(Figure {
            id: format!("{network}-{name}"),
            caption: caption.to_owned(),
            svg: figure::lines(
                caption,
                ["pixels removed, %", "probability, mean over pictures and explanations"],
                &series,
            ),
        });
    }
    Section {
        id: format!("scores-{network}"),
        title: format!("Scores on {network}"),
        text: sentences(study, lines),
        tables: vec![grid],
        figures,
    }
}

/// `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// Those whose interval reaches that of the best.
fn as_good(ranked: &[(String, Estimate)]) -> Vec<&str> {
    let Some((_, best)) = ranked.first() else {
        return Vec::new();
    };
    let near = ranked[1..].iter().filter(|(_, e)| e.high >= best.low);
    near.map(|(id, _)| id.as_str()).collect()
}

fn of_all<'a>(lines: &'a [Line], count: &'a [&'a str]) -> String {
    if count.len() == lines.len() {
        format!("all {}", lines.len())
    } else {
        format!("{} of {}: {}", count.len(), lines.len(), listed(count))
    }
}

fn sentences(study: &Study, lines: &[Line]) -> Vec<String> {
    let mut text = Vec::new();
    let degraded = study.methods.len() - study.whole_maps().len();
    let mut opening = format!(
        "{} pictures; {} explanations, {} controls and {degraded} degraded maps; {} imputers; removed shares {} to {} %, in both orders.",
        study.pictures.len(),
        study.explanations().len(),
        study.whole_maps().len() - study.explanations().len(),
        study.imputers.len(),
        study.percents.first().copied().unwrap_or(0),
        study.percents.last().copied().unwrap_or(0),
    );
    if study.incomplete > 0 {
        let _ = write!(
            opening,
            " {} more pictures are not complete and not counted.",
            study.incomplete
        );
    }
    if !study.left_out.is_empty() {
        let names: Vec<&str> = study.left_out.iter().map(String::as_str).collect();
        let _ = write!(opening, " Measured on too few pictures yet: {}.", listed(&names));
    }
    text.push(opening);
    let select =
        |of: &dyn Fn(&Line) -> bool| -> Vec<&str> { lines.iter().filter(|l| of(l)).map(|l| l.id.as_str()).collect() };
    let consistent = ranked(lines, |l| l.consistency);
    if let (Some((first, best)), Some((last, worst))) = (consistent.first(), consistent.last()) {
        let mut line = format!(
            "**Do both orders agree?** Most with {first}, {}; least with {last}, {}. ROAD reports .53 for noisy linear and .01 for \
             mean filling (CIFAR-10, ResNet-18, accuracy).",
            best.text(2),
            worst.text(2)
        );
        let value = |id: &str| consistent.iter().find(|(name, _)| name == id).map(|(_, e)| *e);
        if let (Some(linear), Some(mean)) = (value("noisy-linear"), value("channel-mean")) {
            let word = if linear.low > mean.high {
                "so that their ordering is found again"
            } else if mean.low > linear.high {
                "so that their ordering is turned over"
            } else {
                "so that on these pictures neither is shown to be the more consistent"
            };
            let _ = write!(
                line,
                " Here noisy linear has {} and the channels' mean {}, {word}.",
                linear.text(2),
                mean.text(2)
            );
        }
        text.push(line);
    }
    let agreeing = ranked(lines, |l| l.energy);
    if let (Some((first, best)), Some((last, worst))) = (agreeing.first(), agreeing.last()) {
        let near = as_good(&agreeing);
        let tail = if near.is_empty() {
            "No other's interval reaches it.".to_owned()
        } else {
            format!("The intervals of {} others reach it: {}.", near.len(), listed(&near))
        };
        text.push(format!(
            "**Is the known truth found?** The ranking of methods by removal follows their share of relevance inside the object most \
             with {first}, {}, least with {last}, {}. {tail}",
            best.text(2),
            worst.text(2)
        ));
    }
    let rewarded = select(&|l| l.blur.is_some_and(|e| e.low > 0.0));
    let punished = select(&|l| l.blur.is_some_and(|e| e.high < 0.0));
    if lines.iter().any(|l| l.blur.is_some()) {
        text.push(format!(
            "**Is blurring rewarded?** A blurred gradient map, which knows no more than its source, scores better than it with {}; \
             worse with {}; of the rest it is not shown.",
            of_all(lines, &rewarded),
            listed(&punished)
        ));
    }
    let left = ranked(lines, |l| l.left);
    if let (Some((first, most)), Some((last, least))) = (left.first(), left.last()) {
        let hidden = select(&|l| l.beyond.is_some_and(|e| e.low <= 0.0));
        text.push(format!(
            "**Which hide the drop?** Of the answer {first} leaves most, {}, and {last} least, {}. Where explanations' best pixels are not \
             shown to cost the answer more than random ones do, the score tells nothing: {}.",
            most.text(2),
            least.text(2),
            listed(&hidden)
        ));
    }
    let separated = ranked(lines, |l| l.separation);
    if let (Some((first, best)), Some((last, worst))) = (separated.first(), separated.last()) {
        let near = as_good(&separated);
        text.push(format!(
            "**Are good maps told from degraded ones?** Best with {first}, {}, least with {last}, {}; {} others' intervals reach the best.",
            best.text(2),
            worst.text(2),
            near.len()
        ));
    }
    text
}

/// A column of the table of criteria: its heading, the column of the data, the masks, decimals.
type Measure = (&'static str, &'static str, &'static [Kind], usize);

const ANY: &[Kind] = &[Kind::Scattered, Kind::Blobs, Kind::Cells];
const MEASURES: [Measure; 12] = [
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
fn better_low(name: &str) -> Option<bool> {
    match name {
        "PSNR, dB" | "SSIM" => Some(false),
        "diversity" | "Mahalanobis shift" => None,
        _ => Some(true),
    }
}

fn criteria(set: &Set, table: &Table, bytes: &[(String, u64)]) -> Section {
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
const TIE: f64 = 1e-9;

/// What each imputer is best and worst at.
fn merits(measured: &Measured<'_>, known: &[&Measure]) -> Vec<String> {
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

/// Which imputer for what, with reasons.
fn selection(set: &Set, lines: &[Line]) -> Section {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |use_: &str, choice: &str, why: String| rows.push(vec![use_.to_owned(), choice.to_owned(), why]);
    let agreeing = ranked(lines, |l| l.energy);
    if let Some((id, e)) = agreeing.first() {
        add(
            "ranking explanations as the truth does",
            id,
            format!("its agreement with the known objects is the highest, {}", e.text(2)),
        );
    }
    let consistent = ranked(lines, |l| l.consistency);
    if let Some((id, e)) = consistent.first() {
        add(
            "one ranking in both orders",
            id,
            format!("its consistency is the highest, {}", e.text(2)),
        );
    }
    let separated = ranked(lines, |l| l.separation);
    if let Some((id, e)) = separated.first() {
        add(
            "telling a good map from a worse one",
            id,
            format!("its order of degraded maps is nearest to the known one, {}", e.text(2)),
        );
    }
    if let Some(table) = &set.criteria {
        let measured = Measured::new(table);
        let mut least = |use_: &str, why: &str, column: &str, masks: &[Kind], digits: usize, high: bool| {
            let sign = if high { -1.0 } else { 1.0 };
            let of = |id: &&str| Some(((*id).to_owned(), measured.mean(id, column, masks)?));
            let mut found: Vec<(String, Estimate)> = measured.imputers.iter().filter_map(of).collect();
            found.sort_by(|a, b| (sign * a.1.value).total_cmp(&(sign * b.1.value)));
            if let Some((_, e)) = found.first() {
                let equal = found.iter().filter(|(_, other)| (other.value - e.value).abs() <= TIE);
                let names: Vec<&str> = equal.map(|(id, _)| id.as_str()).collect();
                if names.len() == found.len() && found.len() > 1 {
                    add(
                        use_,
                        "–",
                        format!("all {} come out alike, {}", found.len(), e.text(digits)),
                    );
                } else {
                    add(use_, &listed(&names), format!("{why}, {}", e.text(digits)));
                }
            }
        };
        least(
            "escaping the detector",
            "detectability is the lowest",
            "detectability",
            ANY,
            2,
            false,
        );
        least(
            "leaving the answer alone where nothing relevant is removed",
            "the fewest answers change when background is removed",
            "changed",
            &[Kind::Background],
            2,
            false,
        );
        least(
            "giving nothing back",
            "the class without its object is the least probable",
            "probability",
            &[Kind::Object],
            3,
            false,
        );
        least(
            "coming near to the picture",
            "PSNR is the highest",
            "psnr",
            ANY,
            1,
            true,
        );
        if let Some((_, best)) = agreeing.first() {
            let near: Vec<&str> = agreeing
                .iter()
                .filter(|(_, e)| e.high >= best.low)
                .map(|(id, _)| id.as_str())
                .collect();
            let cost = |id: &&str| Some(((*id).to_owned(), measured.mean(id, "ms", ANY)?));
            let mut costs: Vec<(String, Estimate)> = near.iter().filter_map(cost).collect();
            costs.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
            if let Some((id, e)) = costs.first() {
                add(
                    "little time",
                    id,
                    format!(
                        "of those whose agreement with the truth reaches the best's interval it takes the least, {:.1} ms a filling here",
                        e.value
                    ),
                );
            }
        }
    }
    Section {
        id: format!("selection-{}", set.network),
        title: format!("Which to take, by what {} shows", set.network),
        text: vec![
            "Each line names the imputer with the best value and the value; where intervals overlap, others may be as good.".to_owned(),
        ],
        tables: vec![Grid {
            id: format!("{}-selection", set.network),
            caption: "Selection, with its reasons".to_owned(),
            columns: ["for", "imputer", "because"].map(str::to_owned).to_vec(),
            rows,
        }],
        figures: Vec::new(),
    }
}

fn truth(set: &Set, study: &Study) -> Option<Grid> {
    let mut rows: Vec<(f64, Vec<String>)> = study
        .methods
        .iter()
        .enumerate()
        .filter_map(|(m, id)| {
            let [energy, pointing] = study.truth(m)?;
            Some((
                energy,
                vec![id.clone(), format!("{energy:.3}"), format!("{pointing:.3}")],
            ))
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    (!rows.is_empty()).then(|| Grid {
        id: format!("{}-truth", set.network),
        caption: "The known truth: each map's share of positive relevance inside the object, and how often its maximum is there".to_owned(),
        columns: ["method", "energy", "pointing"].map(str::to_owned).to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    })
}

/// Pictures without which nothing is said of curves: the interval of fewer is no interval.
pub const FEWEST: usize = 8;

/// The whole report; `bytes` are those of the networks that imputers run.
pub fn report(sets: &[Set], bytes: &[(String, u64)]) -> Vec<Section> {
    let mut all = vec![Section {
        id: "question".into(),
        title: "The question".into(),
        text: vec![
            "A score by removal takes pixels away, puts something in their place, and watches the answer. The network was never trained on \
             what is put there. This study measures how far each filling leaves what the network knows, and what it changes in the \
             ranking of explanations. Every number below is computed from the committed rows by `lucarne study tables`."
                .to_owned(),
        ],
        ..Section::default()
    }];
    for set in sets {
        let enough = set.removal.as_ref().filter(|s| s.pictures.len() >= FEWEST);
        let lines = enough.map(lines).unwrap_or_default();
        if enough.is_some() || set.criteria.is_some() {
            all.push(selection(set, &lines));
        }
        if let Some(study) = enough {
            let mut section = scores(set, study, &lines);
            section.tables.extend(truth(set, study));
            all.push(section);
        }
        if let Some(table) = &set.criteria {
            all.push(criteria(set, table, bytes));
        }
    }
    all.push(limits(sets));
    all
}

fn limits(sets: &[Set]) -> Section {
    let counts: Vec<String> = sets
        .iter()
        .filter_map(|s| Some(format!("{} on {}", s.removal.as_ref()?.pictures.len(), s.network)))
        .collect();
    let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
    let few = sets
        .iter()
        .filter_map(|s| s.removal.as_ref().map(|r| (r.pictures.len(), &s.network)));
    let few: Vec<String> = few
        .filter(|(count, _)| *count < FEWEST)
        .map(|(count, network)| {
            format!(
                "Of {network} only {count} pictures have all curves yet; nothing is computed from fewer than {FEWEST}."
            )
        })
        .collect();
    let mut text = few;
    text.extend([
        format!(
            "Pictures with all curves: {}. The intervals say how other pictures of the same kind might have come out; they say nothing of other \
             networks, other kinds of pictures or other parameters: every method and imputer ran with its defaults and one seed.",
            listed(&counts)
        ),
        "The objects of the compositions are renderings pasted on photographs: where the object is, is exact; that a network looks \
         there and nowhere else is likely, not certain. The share of relevance inside the object is therefore a standard, not the \
         network's own truth."
            .to_owned(),
        "Means over methods depend on which methods are compared. ROAD's figures are for accuracy over a test set, eight gradient maps and a \
         larger network; they stand beside, and are not reproduced."
            .to_owned(),
        "Advice: name the imputer beside every score by removal; take two that fail differently before you trust an order of methods; look at the \
         control maps first, for a score that does not put random pixels behind an explanation tells nothing; and do not compare scores across imputers."
            .to_owned(),
    ]);
    if sets
        .iter()
        .all(|s| s.network != "efficientnet-lite0" || s.removal.is_none())
    {
        text.insert(
            1,
            "No photographs have been run through EfficientNet-Lite0 yet; `lucarne study removal efficientnet-lite0` does it, in parts that can \
             be stopped."
                .to_owned(),
        );
    }
    Section {
        id: "limits".into(),
        title: "Limits and advice".into(),
        text,
        ..Section::default()
    }
}

/// As Markdown, with figures from `figures/`.
pub fn markdown(sections: &[Section]) -> String {
    let mut out = format!("# {TITLE}\n");
    for section in sections {
        let _ = write!(out, "\n## {}\n", section.title);
        let mut list = false;
        for paragraph in &section.text {
            let item = paragraph.starts_with("- ");
            out.push_str(if item && list { "" } else { "\n" });
            list = item;
            let _ = writeln!(out, "{paragraph}");
        }
        for grid in &section.tables {
            let _ = write!(out, "\n{}.\n\n", grid.caption.trim_end_matches('.'));
            let _ = writeln!(out, "| {} |", grid.columns.join(" | "));
            let _ = writeln!(out, "|{}", " --- |".repeat(grid.columns.len()));
            for row in &grid.rows {
                let _ = writeln!(out, "| {} |", row.join(" | "));
            }
        }
        for figure in &section.figures {
            let _ = write!(out, "\n![{}](figures/{}.svg)\n", figure.caption, figure.id);
        }
    }
    out
}
