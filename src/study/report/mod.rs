//! The report: what the rows say, in tables, figures and sentences whose numbers come from the rows.

mod criteria;
mod scores;
mod selection;

use std::fmt::Write;

use super::Table;
use super::removal::Study;
use scores::listed;

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

/// The report's heading.
pub const TITLE: &str = "Removing pixels: which filling to trust";

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
        let lines = enough.map(scores::lines).unwrap_or_default();
        if enough.is_some() || set.criteria.is_some() {
            all.push(selection::selection(set, &lines));
        }
        if let Some(study) = enough {
            let mut section = scores::scores(set, study, &lines);
            section.tables.extend(scores::truth(set, study));
            all.push(section);
        }
        if let Some(table) = &set.criteria {
            all.push(criteria::criteria(set, table, bytes));
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
                "Pictures of {network} with all curves so far: {count}. Nothing is computed from fewer than {FEWEST}."
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
        "The objects network learned from such compositions, three in ten of them on textures of two or three plain colours, with \
         distractors pasted in: flat patches are less strange to it than to a network of photographs. What is found here for \
         constants need not hold there."
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
