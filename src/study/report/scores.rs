//! What each imputer makes of the same maps.

use super::language::say;
use super::{Figure, Grid, Language, Section, Set};
use crate::study::figure;
use crate::study::removal::{ORDERS, Study, Truth};
use crate::study::sample::Estimate;

/// ROAD's consistency of linear and of mean filling, on CIFAR-10 without retraining.
pub(super) const ROAD: [f64; 2] = [0.53, 0.01];

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

fn shown(language: Language, estimate: Option<Estimate>) -> String {
    estimate.map_or_else(|| "–".to_owned(), |e| language.estimate(&e, 2))
}

/// By falling value; those without one last.
pub(super) fn ranked(lines: &[Line], of: impl Fn(&Line) -> Option<Estimate>) -> Vec<(String, Estimate)> {
    let mut found: Vec<(String, Estimate)> = lines.iter().filter_map(|l| Some((l.id.clone(), of(l)?))).collect();
    found.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    found
}

pub(super) fn scores(set: &Set, study: &Study, lines: &[Line], language: Language) -> Section {
    let network = &set.network;
    let pick = |english, french| language.pick(english, french);
    let mut columns = vec![
        pick("imputer", "remplissage"),
        pick("MoRF against LeRF", "MoRF contre LeRF"),
        pick("with controls", "avec les témoins"),
    ];
    if study.has_truth() {
        columns.extend([
            pick("agreement with the mask, energy", "accord avec le masque, énergie"),
            pick("pointing", "pointage"),
        ]);
    }
    columns.extend([
        pick("gain by blurring", "gain par le flou"),
        pick("left of the answer", "reste de la réponse"),
        pick("beyond random", "au-delà du hasard"),
        pick("degraded maps in order", "cartes dégradées en ordre"),
    ]);
    let row = |l: &Line| {
        let shown = |e| shown(language, e);
        let mut row = vec![l.id.clone(), shown(l.consistency), shown(l.with_controls)];
        if study.has_truth() {
            row.extend([shown(l.energy), shown(l.pointing)]);
        }
        row.extend([l.blur, l.left, l.beyond, l.separation].map(shown));
        row
    };
    let count = study.pictures.len();
    let grid = Grid {
        id: format!("{network}-scores"),
        caption: say!(
            language,
            "What each imputer makes of the same maps on {network}. In brackets the middle 95 % over samples of the {count} pictures.",
            "Ce que chaque remplissage fait des mêmes cartes sur {network}. Entre crochets, les 95 % du milieu sur des échantillons des \
             {count} images.",
        ),
        columns: columns.into_iter().map(str::to_owned).collect(),
        rows: lines.iter().map(row).collect(),
    };
    Section {
        id: format!("scores-{network}"),
        title: say!(language, "Scores on {network}", "Scores sur {network}"),
        text: sentences(study, lines, language),
        tables: vec![grid],
        figures: figures(network, study, lines, language),
    }
}

fn figures(network: &str, study: &Study, lines: &[Line], language: Language) -> Vec<Figure> {
    let pick = |english, french| language.pick(english, french);
    let mut figures = Vec::new();
    let mut add = |id: &str, caption: &str, axis: &str, values: Vec<(String, Estimate)>, marks: &[(f64, &str)]| {
        if !values.is_empty() {
            figures.push(Figure {
                id: format!("{network}-{id}"),
                caption: caption.to_owned(),
                svg: figure::dots(language, caption, axis, &values, marks),
            });
        }
    };
    add(
        "consistency",
        pick(
            "Do both orders rank the explanations alike?",
            "Les deux ordres classent-ils les explications de la même façon ?",
        ),
        pick(
            "minus Spearman's correlation of MoRF and LeRF, mean over the removed shares",
            "opposé de la corrélation de Spearman entre MoRF et LeRF, moyenne sur les parts retirées",
        ),
        ranked(lines, |l| l.consistency),
        &[
            (ROAD[0], pick("ROAD, linear", "ROAD, linéaire")),
            (ROAD[1], pick("mean", "moyenne")),
        ],
    );
    add(
        "agreement",
        pick(
            "Are methods ranked as their maps' share inside the object says?",
            "Les méthodes sont-elles classées comme le dit la part de leurs cartes dans l’objet ?",
        ),
        pick(
            "Spearman's correlation, mean of both orders",
            "corrélation de Spearman, moyenne des deux ordres",
        ),
        ranked(lines, |l| l.energy),
        &[],
    );
    add(
        "separation",
        pick(
            "Are scrambled maps told from whole ones?",
            "Les cartes brouillées se distinguent-elles des cartes intactes ?",
        ),
        pick(
            "Spearman's correlation with the known order, mean over pictures and orders",
            "corrélation de Spearman avec l’ordre connu, moyenne sur les images et les ordres",
        ),
        ranked(lines, |l| l.separation),
        &[],
    );
    add(
        "left",
        pick(
            "How much of the answer is left while an explanation's best pixels are removed?",
            "Que reste-t-il de la réponse quand on retire les meilleurs pixels d’une explication ?",
        ),
        pick(
            "mean probability over the picture's own",
            "probabilité moyenne, rapportée à celle de l’image entière",
        ),
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
            "morf" => pick(
                "The answer while the most relevant pixels are removed first",
                "La réponse quand on retire d’abord les pixels les plus pertinents",
            ),
            _ => pick(
                "The answer while the least relevant pixels are removed first",
                "La réponse quand on retire d’abord les pixels les moins pertinents",
            ),
        };
        let axes = [
            pick("pixels removed, %", "pixels retirés, %"),
            pick(
                "probability, mean over pictures and explanations",
                "probabilité, moyenne sur les images et les explications",
            ),
        ];
        figures.push(Figure {
            id: format!("{network}-{name}"),
            caption: caption.to_owned(),
            svg: figure::lines(language, caption, axes, &series),
        });
    }
    figures
}

/// Those whose interval reaches that of the best.
fn as_good(ranked: &[(String, Estimate)]) -> Vec<&str> {
    let Some((_, best)) = ranked.first() else {
        return Vec::new();
    };
    let near = ranked[1..].iter().filter(|(_, e)| e.high >= best.low);
    near.map(|(id, _)| id.as_str()).collect()
}

fn of_all(lines: &[Line], some: &[&str], language: Language) -> String {
    let (all, count, names) = (lines.len(), some.len(), language.listed(some));
    if count == all {
        say!(language, "all {all}", "les {all}")
    } else {
        say!(language, "{count} of {all}: {names}", "{count} sur {all} : {names}")
    }
}

fn opening(study: &Study, language: Language) -> String {
    let whole = study.whole_maps().len();
    let (pictures, imputers, explanations) = (study.pictures.len(), study.imputers.len(), study.explanations().len());
    let (controls, degraded) = (whole - explanations, study.methods.len() - whole);
    let [low, high] = [study.percents.first(), study.percents.last()].map(|p| p.copied().unwrap_or(0));
    let mut text = say!(
        language,
        "{pictures} pictures; {explanations} explanations, {controls} controls and {degraded} degraded maps; {imputers} imputers; \
         removed shares {low} to {high} %, in both orders.",
        "{pictures} images ; {explanations} explications, {controls} témoins et {degraded} cartes dégradées ; {imputers} remplissages ; \
         parts retirées de {low} à {high} %, dans les deux ordres.",
    );
    if study.incomplete > 0 {
        let more = study.incomplete;
        text += &say!(
            language,
            " {more} more pictures are not complete and not counted.",
            " {more} autres images sont incomplètes et ne comptent pas.",
        );
    }
    if !study.left_out.is_empty() {
        let names: Vec<&str> = study.left_out.iter().map(String::as_str).collect();
        let names = language.listed(&names);
        text += &say!(
            language,
            " Measured on too few pictures yet: {names}.",
            " Encore mesurés sur trop peu d’images : {names}.",
        );
    }
    text
}

fn consistency(lines: &[Line], language: Language) -> Option<String> {
    let shown = |e: &Estimate| language.estimate(e, 2);
    let consistent = ranked(lines, |l| l.consistency);
    let ((first, best), (last, worst)) = (consistent.first()?, consistent.last()?);
    let (best, worst) = (shown(best), shown(worst));
    let mut text = say!(
        language,
        "**Do both orders agree?** Most with {first}, {best}; least with {last}, {worst}. ROAD reports .53 for noisy linear and .01 for \
         mean filling (CIFAR-10, ResNet-18, accuracy).",
        "**Les deux ordres s’accordent-ils ?** Le plus avec {first}, {best} ; le moins avec {last}, {worst}. ROAD rapporte 0,53 pour le \
         linéaire bruité et 0,01 pour la moyenne (CIFAR-10, ResNet-18, exactitude).",
    );
    let value = |id: &str| consistent.iter().find(|(name, _)| name == id).map(|(_, e)| *e);
    if let (Some(linear), Some(mean)) = (value("noisy-linear"), value("channel-mean")) {
        let end = if linear.low > mean.high {
            language.pick(
                "so that their ordering is found again",
                "de sorte que leur ordre se retrouve",
            )
        } else if mean.low > linear.high {
            language.pick(
                "so that their ordering is turned over",
                "de sorte que leur ordre est renversé",
            )
        } else {
            language.pick(
                "so that on these pictures neither is shown to be the more consistent",
                "de sorte que sur ces images aucun ne se montre plus cohérent que l’autre",
            )
        };
        let (linear, mean) = (shown(&linear), shown(&mean));
        text += &say!(
            language,
            " Here noisy linear has {linear} and the channels' mean {mean}, {end}.",
            " Ici le linéaire bruité a {linear} et la moyenne des canaux {mean}, {end}.",
        );
    }
    Some(text)
}

fn agreement(lines: &[Line], language: Language) -> Option<String> {
    let agreeing = ranked(lines, |l| l.energy);
    let ((first, best), (last, worst)) = (agreeing.first()?, agreeing.last()?);
    let near = as_good(&agreeing);
    let (count, names) = (near.len(), language.listed(&near));
    let tail = if near.is_empty() {
        say!(
            language,
            "No other's interval reaches it.",
            "L’intervalle d’aucun autre ne l’atteint."
        )
    } else {
        say!(
            language,
            "The intervals of {count} others reach it: {names}.",
            "Les intervalles de {count} autres l’atteignent : {names}.",
        )
    };
    let (best, worst) = (language.estimate(best, 2), language.estimate(worst, 2));
    Some(say!(
        language,
        "**Is the known truth found?** The ranking of methods by removal follows their share of relevance inside the object most \
         with {first}, {best}, least with {last}, {worst}. {tail}",
        "**La vérité connue est-elle retrouvée ?** Le classement des méthodes par retrait suit leur part de pertinence dans l’objet le \
         plus avec {first}, {best}, le moins avec {last}, {worst}. {tail}",
    ))
}

fn sentences(study: &Study, lines: &[Line], language: Language) -> Vec<String> {
    let mut text = vec![opening(study, language)];
    let shown = |e: &Estimate| language.estimate(e, 2);
    let select =
        |of: &dyn Fn(&Line) -> bool| -> Vec<&str> { lines.iter().filter(|l| of(l)).map(|l| l.id.as_str()).collect() };
    text.extend(consistency(lines, language));
    text.extend(agreement(lines, language));
    if lines.iter().any(|l| l.blur.is_some()) {
        let better = of_all(lines, &select(&|l| l.blur.is_some_and(|e| e.low > 0.0)), language);
        let worse = language.listed(&select(&|l| l.blur.is_some_and(|e| e.high < 0.0)));
        text.push(say!(
            language,
            "**Is blurring rewarded?** A blurred gradient map, which knows no more than its source, scores better than it with {better}; \
             worse with {worse}; of the rest it is not shown.",
            "**Le flou est-il récompensé ?** Une carte de gradient floutée, qui n’en sait pas plus que sa source, obtient un meilleur \
             score qu’elle avec {better} ; un moins bon avec {worse} ; pour le reste, rien n’est montré.",
        ));
    }
    let left = ranked(lines, |l| l.left);
    if let (Some((first, most)), Some((last, least))) = (left.first(), left.last()) {
        let hidden = language.listed(&select(&|l| l.beyond.is_some_and(|e| e.low <= 0.0)));
        let (most, least) = (shown(most), shown(least));
        text.push(say!(
            language,
            "**Which hide the drop?** Of the answer {first} leaves most, {most}, and {last} least, {least}. Where explanations' best pixels \
             are not shown to cost the answer more than random ones do, the score tells nothing: {hidden}.",
            "**Lesquels cachent la chute ?** De la réponse, {first} laisse le plus, {most}, et {last} le moins, {least}. Là où rien ne montre \
             que les meilleurs pixels des explications coûtent plus à la réponse que des pixels au hasard, le score ne dit rien : {hidden}.",
        ));
    }
    let separated = ranked(lines, |l| l.separation);
    if let (Some((first, best)), Some((last, worst))) = (separated.first(), separated.last()) {
        let near = as_good(&separated).len();
        let (best, worst) = (shown(best), shown(worst));
        text.push(say!(
            language,
            "**Are good maps told from degraded ones?** Best with {first}, {best}, least with {last}, {worst}; {near} others' intervals \
             reach the best.",
            "**Les bonnes cartes se distinguent-elles des dégradées ?** Le mieux avec {first}, {best}, le moins avec {last}, {worst} ; les \
             intervalles de {near} autres atteignent le meilleur.",
        ));
    }
    text
}

pub(super) fn truth(set: &Set, study: &Study, language: Language) -> Option<Grid> {
    let mut rows: Vec<(f64, Vec<String>)> = study
        .methods
        .iter()
        .enumerate()
        .filter_map(|(m, id)| {
            let [energy, pointing] = study.truth(m)?;
            let shown = [energy, pointing].map(|v| language.number(v, 3));
            Some((energy, [id.clone()].into_iter().chain(shown).collect()))
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    (!rows.is_empty()).then(|| Grid {
        id: format!("{}-truth", set.network),
        caption: language
            .pick(
                "The known truth: each map's share of positive relevance inside the object, and how often its maximum is there",
                "La vérité connue : la part de la pertinence positive de chaque carte dans l’objet, et la fréquence à laquelle son maximum \
                 s’y trouve",
            )
            .to_owned(),
        columns: [
            language.pick("method", "méthode"),
            language.pick("energy", "énergie"),
            language.pick("pointing", "pointage"),
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    })
}
