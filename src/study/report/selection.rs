//! Which imputer for what, and why.

use super::criteria::{ANY, TIE};
use super::language::say;
use super::scores::{Line, ranked};
use super::{Grid, Language, Section, Set};
use crate::study::criteria::{Kind, Measured};
use crate::study::sample::Estimate;

/// A use that a criterion speaks for: in words, and why, in both languages; the column, the masks, decimals, whether more is better.
struct Use {
    words: [&'static str; 2],
    why: [&'static str; 2],
    column: &'static str,
    masks: &'static [Kind],
    digits: usize,
    high: bool,
}

const USES: [Use; 4] = [
    Use {
        words: ["escaping the detector", "échapper au détecteur"],
        why: ["detectability is the lowest", "sa détectabilité est la plus basse"],
        column: "detectability",
        masks: ANY,
        digits: 2,
        high: false,
    },
    Use {
        words: [
            "leaving the answer alone where nothing relevant is removed",
            "laisser la réponse en paix quand rien de pertinent n’est retiré",
        ],
        why: [
            "the fewest answers change when background is removed",
            "le moins de réponses changent quand du fond est retiré",
        ],
        column: "changed",
        masks: &[Kind::Background],
        digits: 2,
        high: false,
    },
    Use {
        words: ["giving nothing back", "ne rien rendre"],
        why: [
            "the class without its object is the least probable",
            "la classe sans son objet est la moins probable",
        ],
        column: "probability",
        masks: &[Kind::Object],
        digits: 3,
        high: false,
    },
    Use {
        words: ["coming near to the picture", "s’approcher de l’image"],
        why: ["PSNR is the highest", "son PSNR est le plus haut"],
        column: "psnr",
        masks: ANY,
        digits: 1,
        high: true,
    },
];

/// Which imputer for what, with reasons.
pub(super) fn selection(set: &Set, lines: &[Line], language: Language) -> Section {
    let network = &set.network;
    let mut rows = by_scores(lines, language);
    if let Some(table) = &set.criteria {
        let measured = Measured::new(table);
        rows.extend(USES.iter().filter_map(|use_| by_criterion(&measured, use_, language)));
        rows.extend(cheapest(&measured, lines, language));
    }
    let columns = [("for", "pour"), ("imputer", "remplissage"), ("because", "parce que")];
    Section {
        id: format!("selection-{network}"),
        title: say!(
            language,
            "Which to take, by what {network} shows",
            "Lequel prendre, d’après {network}"
        ),
        text: vec![
            language
                .pick(
                    "Each line names the imputer with the best value and the value; where intervals overlap, others may be as good.",
                    "Chaque ligne nomme le remplissage qui a la meilleure valeur, et cette valeur ; là où les intervalles se recouvrent, \
                     d’autres peuvent être aussi bons.",
                )
                .to_owned(),
        ],
        tables: vec![Grid {
            id: format!("{network}-selection"),
            caption: language
                .pick("Selection, with its reasons", "Le choix, et ses raisons")
                .to_owned(),
            columns: columns.map(|(en, fr)| language.pick(en, fr).to_owned()).to_vec(),
            rows,
        }],
        figures: Vec::new(),
    }
}

fn by_scores(lines: &[Line], language: Language) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut add = |use_: &str, why: &str, found: Vec<(String, Estimate)>| {
        if let Some((id, e)) = found.into_iter().next() {
            let why = format!("{why}, {}", language.estimate(&e, 2));
            rows.push(vec![use_.to_owned(), id, why]);
        }
    };
    add(
        language.pick(
            "ranking explanations as the truth does",
            "classer les explications comme la vérité",
        ),
        language.pick(
            "its agreement with the known objects is the highest",
            "son accord avec les objets connus est le plus haut",
        ),
        ranked(lines, |l| l.energy),
    );
    add(
        language.pick("one ranking in both orders", "un même classement dans les deux ordres"),
        language.pick("its consistency is the highest", "sa cohérence est la plus haute"),
        ranked(lines, |l| l.consistency),
    );
    add(
        language.pick(
            "telling a good map from a worse one",
            "distinguer une bonne carte d’une moins bonne",
        ),
        language.pick(
            "its order of degraded maps is nearest to the known one",
            "son ordre des cartes dégradées est le plus proche de l’ordre connu",
        ),
        ranked(lines, |l| l.separation),
    );
    rows
}

fn by_criterion(measured: &Measured<'_>, use_: &Use, language: Language) -> Option<Vec<String>> {
    let [words, why] = [use_.words, use_.why].map(|[en, fr]| language.pick(en, fr));
    let sign = if use_.high { -1.0 } else { 1.0 };
    let of = |id: &&str| Some(((*id).to_owned(), measured.mean(id, use_.column, use_.masks)?));
    let mut found: Vec<(String, Estimate)> = measured.imputers.iter().filter_map(of).collect();
    found.sort_by(|a, b| (sign * a.1.value).total_cmp(&(sign * b.1.value)));
    let (_, best) = found.first()?;
    let value = language.estimate(best, use_.digits);
    let equal = found.iter().filter(|(_, e)| (e.value - best.value).abs() <= TIE);
    let names: Vec<&str> = equal.map(|(id, _)| id.as_str()).collect();
    let all = found.len();
    let (choice, why) = if names.len() == all && all > 1 {
        let why = say!(
            language,
            "all {all} come out alike, {value}",
            "les {all} donnent la même chose, {value}"
        );
        ("–".to_owned(), why)
    } else {
        (language.listed(&names), format!("{why}, {value}"))
    };
    Some(vec![words.to_owned(), choice, why])
}

/// The quickest of those that agree with the truth as well as the best.
fn cheapest(measured: &Measured<'_>, lines: &[Line], language: Language) -> Option<Vec<String>> {
    let agreeing = ranked(lines, |l| l.energy);
    let (_, best) = agreeing.first()?;
    let near = agreeing.iter().filter(|(_, e)| e.high >= best.low);
    let cost = |(id, _): &(String, Estimate)| Some((id.clone(), measured.mean(id, "ms", ANY)?));
    let mut costs: Vec<(String, Estimate)> = near.filter_map(cost).collect();
    costs.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let (id, e) = costs.into_iter().next()?;
    let ms = language.number(e.value, 1);
    let why = say!(
        language,
        "of those whose agreement with the truth reaches the best's interval it takes the least, {ms} ms a filling here",
        "de ceux dont l’accord avec la vérité atteint l’intervalle du meilleur, c’est le plus rapide, ici {ms} ms par remplissage",
    );
    Some(vec![language.pick("little time", "peu de temps").to_owned(), id, why])
}
