//! What each imputer makes of the same maps.

use std::fmt::Write;

use super::{Figure, Grid, Section, Set};
use crate::study::figure;
use crate::study::removal::{ORDERS, Study, Truth};
use crate::study::sample::Estimate;

/// ROAD's consistency of linear and of mean filling, on CIFAR-10 without retraining.
pub(super) const ROAD: [(f64, &str); 2] = [(0.53, "ROAD, linear"), (0.01, "mean")];

/// One imputer's results on one network.
pub(super) struct Line {
    pub(super) id: String,
    pub(super) consistency: Option<Estimate>,
    pub(super) with_controls: Option<Estimate>,
    pub(super) energy: Option<Estimate>,
    pub(super) pointing: Option<Estimate>,
    pub(super) blur: Option<Estimate>,
    pub(super) left: Option<Estimate>,
    pub(super) beyond: Option<Estimate>,
    pub(super) separation: Option<Estimate>,
}

pub(super) fn lines(study: &Study) -> Vec<Line> {
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

pub(super) fn shown(estimate: Option<Estimate>) -> String {
    estimate.map_or_else(|| "–".to_owned(), |e| e.text(2))
}

/// By falling value; those without one last.
pub(super) fn ranked(lines: &[Line], of: impl Fn(&Line) -> Option<Estimate>) -> Vec<(String, Estimate)> {
    let mut found: Vec<(String, Estimate)> = lines.iter().filter_map(|l| Some((l.id.clone(), of(l)?))).collect();
    found.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    found
}

pub(super) fn scores(set: &Set, study: &Study, lines: &[Line]) -> Section {
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
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// Those whose interval reaches that of the best.
pub(super) fn as_good(ranked: &[(String, Estimate)]) -> Vec<&str> {
    let Some((_, best)) = ranked.first() else {
        return Vec::new();
    };
    let near = ranked[1..].iter().filter(|(_, e)| e.high >= best.low);
    near.map(|(id, _)| id.as_str()).collect()
}

pub(super) fn of_all<'a>(lines: &'a [Line], count: &'a [&'a str]) -> String {
    if count.len() == lines.len() {
        format!("all {}", lines.len())
    } else {
        format!("{} of {}: {}", count.len(), lines.len(), listed(count))
    }
}

pub(super) fn sentences(study: &Study, lines: &[Line]) -> Vec<String> {
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

pub(super) fn truth(set: &Set, study: &Study) -> Option<Grid> {
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
