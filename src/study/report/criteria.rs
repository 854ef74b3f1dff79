//! What the criteria say of each imputer.

use super::language::say;
use super::{Figure, Grid, Language, Section, Set};
use crate::imputer;
use crate::study::criteria::{Kind, Measured};
use crate::study::figure;
use crate::study::sample::Estimate;

/// A column of the table of criteria: its heading in both languages, the column of the data, the masks, decimals.
pub(super) struct Measure {
    name: [&'static str; 2],
    column: &'static str,
    masks: &'static [Kind],
    digits: usize,
    /// Whether less is better, where that can be said.
    low: Option<bool>,
}

const fn measure(
    name: [&'static str; 2],
    column: &'static str,
    masks: &'static [Kind],
    digits: usize,
    low: Option<bool>,
) -> Measure {
    Measure {
        name,
        column,
        masks,
        digits,
        low,
    }
}

pub(super) const ANY: &[Kind] = &[Kind::Scattered, Kind::Blobs, Kind::Cells];
const MEASURES: [Measure; 12] = [
    measure(["PSNR, dB", "PSNR, dB"], "psnr", ANY, 1, Some(false)),
    measure(["SSIM", "SSIM"], "ssim", ANY, 2, Some(false)),
    measure(
        ["feature distance", "distance des représentations"],
        "feature-distance",
        ANY,
        2,
        Some(true),
    ),
    measure(["detectability", "détectabilité"], "detectability", ANY, 2, Some(true)),
    measure(
        ["Mahalanobis shift", "écart de Mahalanobis"],
        "mahalanobis-shift",
        ANY,
        2,
        None,
    ),
    measure(["energy shift", "écart d’énergie"], "energy-shift", ANY, 2, Some(true)),
    measure(
        ["class from the frame", "classe d’après le cadre"],
        "class-leakage",
        ANY,
        3,
        Some(true),
    ),
    measure(
        ["class without the object", "classe sans l’objet"],
        "probability",
        &[Kind::Object],
        3,
        Some(true),
    ),
    measure(
        ["class of a shape", "classe d’une forme"],
        "probability",
        &[Kind::Shape],
        3,
        Some(true),
    ),
    measure(
        ["answer changed by background", "réponse changée par le fond"],
        "changed",
        &[Kind::Background],
        2,
        Some(true),
    ),
    measure(["diversity", "diversité"], "diversity", ANY, 3, None),
    measure(["ms", "ms"], "ms", ANY, 1, Some(true)),
];

/// What is known of imputers beside the rows of the criteria.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Bytes of the networks that imputers run.
    pub bytes: Vec<(String, u64)>,
    /// Milliseconds a picture in WebAssembly, by imputer, and how they were measured.
    pub wasm: Option<Wasm>,
}

/// What the fillings cost in a browser.
#[derive(Clone, Debug, Default)]
pub struct Wasm {
    /// How it was measured, in words.
    pub about: String,
    /// Imputer and median milliseconds a picture.
    pub ms: Vec<(String, f64)>,
}

/// Licence of the code of every imputer, and of the weights that were trained here, as all are.
const LICENCE: &str = env!("CARGO_PKG_LICENSE");
/// What the photographs are licensed under that those weights were learned from (`models/photographs/split.tsv`), in both languages.
pub const PHOTOGRAPHS: [[&str; 2]; 4] = [
    ["CC0", "CC0"],
    ["public domain", "domaine public"],
    ["CC-BY", "CC-BY"],
    ["CC-BY-SA", "CC-BY-SA"],
];

fn licence(id: &str, language: Language) -> String {
    let network = imputer::find(id).ok().and_then(|i| i.meta().network);
    if network.is_none() {
        return LICENCE.to_owned();
    }
    let data = PHOTOGRAPHS.map(|[en, fr]| language.pick(en, fr)).join(", ");
    say!(
        language,
        "{LICENCE}; learned from photographs: {data}",
        "{LICENCE} ; appris de photographies : {data}"
    )
}

pub(super) fn criteria(set: &Set, table: &crate::study::Table, facts: &Facts, language: Language) -> Section {
    let measured = Measured::new(table);
    let network = &set.network;
    let known: Vec<&Measure> = MEASURES
        .iter()
        .filter(|m| {
            let mut imputers = measured.imputers.iter();
            imputers.any(|i| measured.mean(i, m.column, m.masks).is_some())
        })
        .collect();
    let mut text = vec![masks(language).to_owned()];
    if let Some(wasm) = &facts.wasm {
        let about = &wasm.about;
        text.push(say!(
            language,
            "Milliseconds in wasm are those of the page's engine ({about}).",
            "Les millisecondes en wasm sont celles du moteur de la page ({about})."
        ));
    }
    if !measured.left_out.is_empty() {
        let names = language.listed(&measured.left_out);
        text.push(say!(
            language,
            "Measured on too few pictures yet: {names}.",
            "Encore mesurés sur trop peu d’images : {names}."
        ));
    }
    text.extend(merits(&measured, &known, language));
    Section {
        id: format!("criteria-{network}"),
        title: say!(language, "Criteria on {network}", "Critères sur {network}"),
        text,
        tables: vec![grid(network, &measured, &known, facts, language)],
        figures: figures(network, &measured, language),
    }
}

fn grid(network: &str, measured: &Measured<'_>, known: &[&Measure], facts: &Facts, language: Language) -> Grid {
    let pick = |[en, fr]: [&'static str; 2]| language.pick(en, fr).to_owned();
    let mut columns = vec![pick(["imputer", "remplissage"])];
    columns.extend(known.iter().map(|m| pick(m.name)));
    columns.extend(facts.wasm.iter().map(|_| pick(["ms in wasm", "ms en wasm"])));
    columns.extend([pick(["bytes", "octets"]), pick(["licence", "licence"])]);
    let size = |id: &str| {
        let network = imputer::find(id).ok().and_then(|i| i.meta().network);
        let found = network.and_then(|n| facts.bytes.iter().find(|(name, _)| name == n));
        found.map_or_else(|| "0".to_owned(), |(_, bytes)| bytes.to_string())
    };
    let none = || "–".to_owned();
    let row = |id: &&str| {
        let mut row = vec![(*id).to_owned()];
        row.extend(known.iter().map(|m| {
            let found = measured.mean(id, m.column, m.masks);
            found.map_or_else(none, |e| language.number(e.value, m.digits))
        }));
        row.extend(facts.wasm.iter().map(|wasm| {
            let found = wasm.ms.iter().find(|(name, _)| name == id);
            found.map_or_else(none, |(_, ms)| language.number(*ms, 1))
        }));
        row.extend([size(id), licence(id, language)]);
        row
    };
    let count = measured.pictures.len();
    Grid {
        id: format!("{network}-criteria"),
        caption: say!(
            language,
            "Criteria on {network}: means over {count} pictures, and over single pixels, blobs and cells where nothing else is said.",
            "Critères sur {network} : moyennes sur {count} images, et sur pixels isolés, taches et cases là où rien d’autre n’est dit."
        ),
        columns,
        rows: measured.imputers.iter().map(row).collect(),
    }
}

fn masks(language: Language) -> &'static str {
    language.pick(
        "Masks that no explanation made: single pixels, blobs of smooth noise, cells of 8 × 8; with known objects also blobs of the \
         background only, the object itself, and another picture's object beside the own one. \"Class without the object\" is the \
         probability of the picture's class once its object is removed: whatever is above one over the number of classes comes \
         from the filling or from the hole's shape. \"Class of a shape\" is the probability of the other picture's class, of which nothing \
         but the hole's shape was given. Milliseconds are of this library on one thread of the machine that ran the study, in a build that \
         was not optimised for speed, beside other work: compare them with one another only.",
        "Des masques qu’aucune explication n’a faits : pixels isolés, taches de bruit lisse, cases de 8 × 8 ; avec des objets connus, \
         aussi des taches du fond seulement, l’objet lui-même, et l’objet d’une autre image à côté du sien. « Classe sans l’objet » est la \
         probabilité de la classe de l’image une fois son objet retiré : ce qui dépasse un sur le nombre de classes vient du remplissage \
         ou de la forme du trou. « Classe d’une forme » est la probabilité de la classe de l’autre image, dont seule la forme du trou \
         était donnée. Les millisecondes sont celles de cette bibliothèque sur un fil de la machine qui a fait l’étude, compilée sans \
         optimiser la vitesse, à côté d’autres travaux : ne les comparez qu’entre elles.",
    )
}

fn figures(network: &str, measured: &Measured<'_>, language: Language) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (id, caption, axis, column, masks) in [
        (
            "object",
            [
                "Does the class come back once its object is removed?",
                "La classe revient-elle une fois son objet retiré ?",
            ],
            [
                "probability of the picture's class",
                "probabilité de la classe de l’image",
            ],
            "probability",
            &[Kind::Object][..],
        ),
        (
            "energy",
            [
                "How much less does the network recognise?",
                "De combien le réseau reconnaît-il moins ?",
            ],
            ["energy shift, in logits", "écart d’énergie, en logits"],
            "energy-shift",
            ANY,
        ),
        (
            "features",
            [
                "How far from the picture in the network's features?",
                "À quelle distance de l’image dans les représentations du réseau ?",
            ],
            ["feature distance", "distance des représentations"],
            "feature-distance",
            ANY,
        ),
    ] {
        let [caption, axis] = [caption, axis].map(|[en, fr]| language.pick(en, fr));
        let of = |id: &&str| Some(((*id).to_owned(), measured.mean(id, column, masks)?));
        let mut values: Vec<(String, Estimate)> = measured.imputers.iter().filter_map(of).collect();
        values.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        if !values.is_empty() {
            figures.push(Figure {
                id: format!("{network}-{id}"),
                caption: caption.to_owned(),
                svg: figure::dots(language, caption, axis, &values, &[]),
            });
        }
    }
    figures
}

/// Values that are nearer than this are equal.
pub(super) const TIE: f64 = 1e-9;

/// What each imputer is best and worst at.
fn merits(measured: &Measured<'_>, known: &[&Measure], language: Language) -> Vec<String> {
    let count = measured.imputers.len();
    let third = count / 3;
    if third == 0 {
        return Vec::new();
    }
    let mut best: Vec<Vec<&str>> = vec![Vec::new(); count];
    let mut worst: Vec<Vec<&str>> = vec![Vec::new(); count];
    for m in known {
        let Some(low) = m.low else { continue };
        let sign = if low { 1.0 } else { -1.0 };
        let of = |(k, id): (usize, &&str)| Some((k, sign * measured.mean(id, m.column, m.masks)?.value));
        let values: Vec<(usize, f64)> = measured.imputers.iter().enumerate().filter_map(of).collect();
        let name = language.pick(m.name[0], m.name[1]);
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
    let opening = language.pick(
        "Advantages and drawbacks: where an imputer is in the best or in the worst third.",
        "Avantages et défauts : là où un remplissage est dans le meilleur ou dans le pire tiers.",
    );
    let mut text = vec![opening.to_owned()];
    for (k, id) in measured.imputers.iter().enumerate() {
        let [good, bad] = [&best[k], &worst[k]].map(|names| language.listed(names));
        text.push(say!(
            language,
            "- **{id}**: good in {good}; bad in {bad}.",
            "- **{id}** : bon en {good} ; mauvais en {bad}."
        ));
    }
    text
}
