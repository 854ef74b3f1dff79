//! Which imputer for what, and why.

use super::criteria::{ANY, TIE};
use super::scores::{Line, listed, ranked};
use super::{Grid, Section, Set};
use crate::study::criteria::{Kind, Measured};
use crate::study::sample::Estimate;

/// Which imputer for what, with reasons.
pub(super) fn selection(set: &Set, lines: &[Line]) -> Section {
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
