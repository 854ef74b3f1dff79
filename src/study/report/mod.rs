//! The report: what the rows say, in tables, figures and sentences whose numbers come from the rows.

mod criteria;
mod language;
mod scores;
mod selection;

use std::fmt::Write;

use super::Table;
use super::removal::Study;
pub use criteria::{Facts, PHOTOGRAPHS, Wasm};
pub use language::Language;
use language::say;

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
pub fn title(language: Language) -> &'static str {
    language.pick(
        "Removing pixels: which filling to trust",
        "Retirer des pixels : à quel remplissage se fier",
    )
}

/// Pictures without which nothing is said of curves: the interval of fewer is no interval.
pub const FEWEST: usize = 8;

/// The whole report.
pub fn report(sets: &[Set], facts: &Facts, language: Language) -> Vec<Section> {
    let mut all = vec![Section {
        id: "question".into(),
        title: language.pick("The question", "La question").into(),
        text: vec![
            language
                .pick(
                    "A score by removal takes pixels away, puts something in their place, and watches the answer. The network was never \
                     trained on what is put there. This study measures how far each filling leaves what the network knows, and what it \
                     changes in the ranking of explanations. Every number below is computed from the committed rows by `lucarne study tables`.",
                    "Un score par retrait enlève des pixels, met quelque chose à leur place et regarde la réponse. Le réseau n’a jamais été \
                     entraîné sur ce qu’on y met. Cette étude mesure à quelle distance de ce que le réseau connaît chaque remplissage l’emmène, \
                     et ce qu’il change au classement des explications. Tous les nombres ci-dessous sont calculés à partir des lignes \
                     publiées, par `lucarne study tables`.",
                )
                .to_owned(),
        ],
        ..Section::default()
    }];
    for set in sets {
        let enough = set.removal.as_ref().filter(|s| s.pictures.len() >= FEWEST);
        let lines = enough.map(scores::lines).unwrap_or_default();
        if enough.is_some() || set.criteria.is_some() {
            all.push(selection::selection(set, &lines, language));
        }
        if let Some(study) = enough {
            let mut section = scores::scores(set, study, &lines, language);
            section.tables.extend(scores::truth(set, study, language));
            all.push(section);
        }
        if let Some(table) = &set.criteria {
            all.push(criteria::criteria(set, table, facts, language));
        }
    }
    all.push(limits(sets, language));
    all
}

fn limits(sets: &[Set], language: Language) -> Section {
    let mut text = Vec::new();
    let mut counts = Vec::new();
    for (count, network) in sets
        .iter()
        .filter_map(|s| Some((s.removal.as_ref()?.pictures.len(), &s.network)))
    {
        counts.push(say!(language, "{count} on {network}", "{count} sur {network}"));
        if count < FEWEST {
            text.push(say!(
                language,
                "Pictures of {network} with all curves so far: {count}. Nothing is computed from fewer than {FEWEST}.",
                "Images de {network} dont toutes les courbes sont là : {count}. Rien n’est calculé à partir de moins de {FEWEST}."
            ));
        }
    }
    if sets
        .iter()
        .all(|s| s.network != "efficientnet-lite0" || s.removal.is_none())
    {
        text.push(
            language
                .pick(
                    "No photographs have been run through EfficientNet-Lite0 yet; `lucarne study removal efficientnet-lite0` does it, in parts \
                     that can be stopped.",
                    "Aucune photographie n’est encore passée par EfficientNet-Lite0 ; `lucarne study removal efficientnet-lite0` le fait, en \
                     parties qu’on peut arrêter.",
                )
                .to_owned(),
        );
    }
    let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
    let counts = language.listed(&counts);
    text.push(say!(
        language,
        "Pictures with all curves: {counts}. The intervals say how other pictures of the same kind might have come out; they say nothing of \
         other networks, other kinds of pictures or other parameters: every method and imputer ran with its defaults and one seed.",
        "Images dont toutes les courbes sont là : {counts}. Les intervalles disent ce qu’auraient pu donner d’autres images du même genre ; \
         ils ne disent rien d’autres réseaux, d’autres genres d’images ou d’autres paramètres : chaque méthode et chaque remplissage a \
         tourné avec ses valeurs par défaut et une seule graine."
    ));
    let rest = [
        language.pick(
            "The objects of the compositions are renderings pasted on photographs: where the object is, is exact; that a network looks \
             there and nowhere else is likely, not certain. The share of relevance inside the object is therefore a standard, not the \
             network's own truth.",
            "Les objets des compositions sont des images de synthèse collées sur des photographies : la place de l’objet est exacte ; que le \
             réseau regarde là et nulle part ailleurs est probable, non certain. La part de pertinence dans l’objet est donc un repère, pas \
             la vérité propre du réseau.",
        ),
        language.pick(
            "The objects network learned from such compositions, three in ten of them on textures of two or three plain colours, with \
             distractors pasted in: flat patches are less strange to it than to a network of photographs. What is found here for \
             constants need not hold there.",
            "Le réseau d’objets a appris sur de telles compositions, trois sur dix sur des textures de deux ou trois couleurs unies, avec \
             des distracteurs collés : les aplats lui sont moins étrangers qu’à un réseau de photographies. Ce qui se trouve ici pour \
             les constantes n’y vaut pas forcément.",
        ),
        language.pick(
            "Means over methods depend on which methods are compared. ROAD's figures are for accuracy over a test set, eight gradient maps \
             and a larger network; they stand beside, and are not reproduced.",
            "Les moyennes sur les méthodes dépendent des méthodes comparées. Les chiffres de ROAD portent sur l’exactitude d’un jeu de test, \
             huit cartes de gradient et un réseau plus grand ; ils sont là pour comparer, ils ne sont pas reproduits.",
        ),
        language.pick(
            "Advice: name the imputer beside every score by removal; take two that fail differently before you trust an order of methods; \
             look at the control maps first, for a score that does not put random pixels behind an explanation tells nothing; and do not \
             compare scores across imputers.",
            "Conseils : nommez le remplissage à côté de chaque score par retrait ; prenez-en deux qui se trompent différemment avant de \
             croire un ordre de méthodes ; regardez d’abord les cartes témoins, car un score qui ne place pas des pixels au hasard derrière \
             une explication ne dit rien ; et ne comparez pas les scores d’un remplissage à l’autre.",
        ),
    ];
    text.extend(rest.map(str::to_owned));
    Section {
        id: "limits".into(),
        title: language.pick("Limits and advice", "Limites et conseils").into(),
        text,
        ..Section::default()
    }
}

/// As Markdown, with figures from the folder `figures`.
pub fn markdown(sections: &[Section], language: Language, figures: &str) -> String {
    let mut out = format!("# {}\n", title(language));
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
            let _ = write!(out, "\n![{}]({figures}/{}.svg)\n", figure.caption, figure.id);
        }
    }
    out
}
