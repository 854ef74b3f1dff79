//! `study removal`.

use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use lucarne::attribution::{self, Family};
use lucarne::exec::Executor;
use lucarne::imputer::{self, Networks, Remover};
use lucarne::metric::curve::{Order, Ranking, share};
use lucarne::metric::{self, Evidence, Score};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::study::table::{cell, number};
use lucarne::study::{degrade, removal as rows};
use lucarne::{Context, Error, Job, Mask, Model, Target, TargetKind, Tensor};
use pollster::block_on;

use super::super::failure::Failure;
use super::super::pictures::{self, Source};
use super::super::{engines, evaluate, models, output};
use super::lines::Lines;
use super::{Bench, Item, Set, UNWATCHED, load};

/// Explanations that are compared where none are named; every control besides.
const METHODS: [&str; 10] = [
    "gradient",
    "input-x-gradient",
    "integrated-gradients",
    "smooth-grad",
    "var-grad",
    "guided-backprop",
    "deep-lift",
    "lrp",
    "grad-cam",
    "occlusion",
];

/// `study removal`.
#[derive(Args)]
pub struct Removal {
    #[command(flatten)]
    pub set: Set,
    /// Methods [default: ten, and every control]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub methods: Vec<String>,
    /// Beside --methods, every control
    #[arg(long)]
    pub controls: bool,
    /// Method of which four degraded versions are compared too
    #[arg(long, value_name = "ID", default_value = "grad-cam")]
    pub degrade: String,
    /// Removed shares, in percent, ascending
    #[arg(long, value_name = "P", num_args = 1.., default_values_t = [10, 20, 30, 40, 50, 60, 70, 80, 90])]
    pub fractions: Vec<usize>,
    /// Orders of removal: most relevant pixels first, least relevant first
    #[arg(long, value_name = "ORDER", num_args = 1.., default_values_t = rows::ORDERS.map(str::to_owned),
        value_parser = clap::builder::PossibleValuesParser::new(rows::ORDERS))]
    pub orders: Vec<String>,
}

/// A map of the study: a method's, or a degraded version of it.
struct Wanted {
    name: String,
    method: String,
    level: usize,
}

impl Removal {
    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        let controls = attribution::METHODS
            .iter()
            .map(|m| m.meta())
            .filter(|m| m.family == Family::Control);
        let named = self.methods.iter().map(String::as_str);
        let (methods, all): (Vec<&str>, bool) = if self.methods.is_empty() {
            (METHODS.to_vec(), true)
        } else {
            (named.collect(), self.controls)
        };
        let controls = controls.map(|m| m.id).filter(|id| all && !methods.contains(id));
        let methods: Vec<&str> = methods.iter().copied().chain(controls).collect();
        let mut wanted = Vec::new();
        for id in methods {
            attribution::find(id)?;
            let levels = degrade::LEVELS.into_iter().filter(|_| id == self.degrade);
            for level in [0].into_iter().chain(levels) {
                wanted.push(Wanted {
                    name: if level == 0 {
                        id.to_owned()
                    } else {
                        degrade::name(id, level)
                    },
                    method: id.to_owned(),
                    level,
                });
            }
        }
        Ok(wanted)
    }
}

/// Runs over the pictures.
pub fn run(arguments: &Removal, json: bool) -> Result<(), Failure> {
    let set = &arguments.set;
    if arguments.fractions.iter().any(|p| !(1..=99).contains(p)) || !arguments.fractions.is_sorted_by(|a, b| a < b) {
        let message = format!(
            "--fractions {:?} are not ascending percents from 1 to 99",
            arguments.fractions
        );
        return Err(Failure::usage(message, "As in --fractions 10 50 90."));
    }
    let wanted = arguments.wanted()?;
    let items = set.items()?;
    let model = load(set)?;
    for w in &wanted {
        attribution::find(&w.method)?.passes_dyn(&model, &ParamValues::new())?;
    }
    let networks = models::networks()?;
    let imputers = set.imputers(&networks)?;
    set.note_networks(&networks, &imputers)?;
    let columns = rows::curve_columns(&arguments.fractions);
    let about = set.about("removal", &model);
    let curves = Lines::open(&set.file("removal", &model)?, &about, &columns, rows::CURVE_WORDS)?;
    let about = set.about("maps", &model);
    let maps = Lines::open(&set.file("maps", &model)?, &about, rows::MAP_COLUMNS, rows::MAP_WORDS)?;
    let known = curves.known();
    let mut run = Run {
        arguments,
        model: &model,
        pool: engines::engine(&model, &set.network)?,
        networks,
        imputers,
        curves,
        maps,
        random: SeedStream::new(u64::from(set.seed)),
        passes: 0,
    };
    let (start, mut failed) = (Instant::now(), 0);
    for (at, item) in items.iter().enumerate() {
        let before = run.passes;
        if let Err(failure) = run.picture(item, &wanted) {
            eprintln!("lucarne: {}: {failure}", item.name);
            failed += 1;
        }
        if run.passes > before {
            let (seconds, passes) = (start.elapsed().as_secs_f64(), run.passes);
            eprintln!(
                "{} of {} pictures; {passes} passes and their fillings in {seconds:.0} s, {:.1} a second",
                at + 1,
                items.len(),
                passes as f64 / seconds
            );
        }
    }
    let lines = run.curves.known();
    if json {
        let summary = serde_json::json!({ "pictures": items.len(), "failed": failed, "lines": lines, "known": known,
            "passes": run.passes, "seconds": start.elapsed().as_secs_f64() });
        return output::print_json(&summary);
    }
    output::print(&format!(
        "{} pictures, {failed} failed; {lines} lines, of which {known} were there before\n",
        items.len()
    ));
    if failed == items.len() {
        return Err(Failure::new("no picture could be used", "The lines above say why."));
    }
    Ok(())
}

struct Run<'a> {
    arguments: &'a Removal,
    model: &'a Model,
    pool: Rc<dyn Executor>,
    networks: Networks,
    imputers: Vec<String>,
    curves: Lines,
    maps: Lines,
    random: SeedStream,
    passes: u64,
}

impl Run<'_> {
    fn key(item: &Item, w: &Wanted, imputer: &str, order: &str) -> String {
        [&item.name, &w.name, imputer, order].join(",")
    }

    /// Whether a line of this map is missing.
    fn lacks(&self, item: &Item, w: &Wanted) -> bool {
        let orders = &self.arguments.orders;
        let has = |i: &String, o: &String| self.curves.has(&Self::key(item, w, i, o));
        !self.imputers.iter().all(|i| orders.iter().all(|o| has(i, o)))
            || !self
                .maps
                .has(&[&item.name, &w.name, &item.label].map(String::as_str).join(","))
    }

    fn picture(&mut self, item: &Item, wanted: &[Wanted]) -> Result<(), Failure> {
        if !wanted.iter().any(|w| self.lacks(item, w)) {
            return Ok(());
        }
        let source = pictures::source(&item.path, self.model.card())?;
        let truth = self.arguments.set.truth(item, &source, self.model)?;
        let class = evaluate::answer(&*self.pool, &source.input)?;
        let mut made: Option<(String, Made)> = None;
        for w in wanted {
            if !self.lacks(item, w) {
                continue;
            }
            if made.as_ref().is_none_or(|(method, _)| *method != w.method) {
                made = Some((w.method.clone(), self.map(&source, &w.method, class)?));
            }
            let Some((_, map)) = &made else { continue };
            self.one(item, &source, truth.as_ref(), class, w, map)?;
        }
        Ok(())
    }

    fn map(&mut self, source: &Source, method: &str, class: usize) -> Result<Made, Failure> {
        let job = Job::new(&UNWATCHED);
        let bench = Bench {
            exec: &*self.pool,
            networks: &self.networks,
            job: &job,
        };
        // Methods that remove pixels do it by the reference libraries' default, whatever is studied.
        let cx = bench.context(&self.random, class, "constant")?;
        let start = Instant::now();
        let entry = attribution::find(method)?;
        let found = block_on(entry.attribute_dyn(&cx, &source.input, &ParamValues::new()))?;
        let relevance = Evidence::new(&source.input, &found.map, None)?.relevance;
        let passes = job.passes();
        self.passes += passes.total();
        Ok(Made {
            relevance,
            facts: vec![
                passes.forward.to_string(),
                passes.backward.to_string(),
                start.elapsed().as_millis().to_string(),
            ],
        })
    }

    fn one(
        &mut self,
        item: &Item,
        source: &Source,
        truth: Option<&Mask>,
        class: usize,
        w: &Wanted,
        map: &Made,
    ) -> Result<(), Failure> {
        let relevance = if w.level == 0 {
            map.relevance.clone()
        } else {
            degrade::scramble(&map.relevance, w.level, &self.random)
        };
        let job = Job::new(&UNWATCHED);
        let bench = Bench {
            exec: &*self.pool,
            networks: &self.networks,
            job: &job,
        };
        let ranking = Ranking::new(&relevance, &self.random);
        let pixels = ranking.pixels();
        let orders = self.arguments.orders.clone();
        for id in self.imputers.clone() {
            let missing: Vec<&String> = orders
                .iter()
                .filter(|order| !self.curves.has(&Self::key(item, w, &id, order)))
                .collect();
            if missing.is_empty() {
                continue;
            }
            let cx = bench.context(&self.random, class, &id)?;
            let mut masks = Vec::new();
            for order in &missing {
                for percent in &self.arguments.fractions {
                    masks.push(ranking.first(Order::of(order), share(*percent, 100, pixels)));
                }
            }
            let found = block_on(answers(&cx, source, &masks));
            let count = self.arguments.fractions.len();
            for (at, order) in missing.iter().enumerate() {
                let mut cells = match &found {
                    Ok(found) => {
                        let part = &found[at * count..(at + 1) * count];
                        let p = part.iter().map(|(p, _)| number(*p, 3));
                        p.chain(part.iter().map(|(_, l)| number(*l, 2))).collect()
                    }
                    Err(_) => vec![String::new(); 2 * count],
                };
                cells.push(found.as_ref().err().map(|e| cell(&e.to_string())).unwrap_or_default());
                self.curves.add(&Self::key(item, w, &id, order), &cells)?;
            }
        }
        let whole = {
            let cx = bench.context(&self.random, class, imputer::IMPUTERS[0].meta().id)?;
            let none = Mask::all(source.input.dims()[1], source.input.dims()[2], false);
            block_on(answers(&cx, source, &[none]))?[0]
        };
        let mut cells = vec![number(whole.0, 4), number(whole.1, 2)];
        for id in ["relevance-mass-accuracy", "pointing-game"] {
            let cx = bench.context(&self.random, class, "constant")?;
            let map = relevance
                .clone()
                .reshape(&[1, relevance.shape()[0], relevance.shape()[1]]);
            let evidence = Evidence::new(&source.input, &map, truth)?;
            let score = block_on(metric::find(id)?.evaluate_dyn(&cx, &evidence, &ParamValues::new()))?.score;
            cells.push(match score {
                Score::Value(value) => number(value, 4),
                Score::Undefined(_) => String::new(),
            });
        }
        cells.extend(map.facts.iter().cloned());
        self.maps.add(
            &[&item.name, &w.name, &item.label].map(String::as_str).join(","),
            &cells,
        )?;
        self.passes += job.passes().total();
        Ok(())
    }
}

/// A method's map, and what it took.
struct Made {
    relevance: Tensor,
    facts: Vec<String>,
}

/// Probability and logit of the context's class without the pixels of each mask.
async fn answers(cx: &Context<'_>, source: &Source, masks: &[Mask]) -> Result<Vec<(f64, f64)>, Error> {
    let remover = Remover::new(cx, &source.input).await?;
    let head = cx.exec.model().network().head();
    let class = cx.target.class;
    let mut found = Vec::with_capacity(masks.len());
    for range in cx.batches(masks.len()) {
        let logits = cx.forward(&remover.without(&masks[range]).await?, &[]).await?.remove(0);
        let kind = TargetKind::Probability;
        let p = Target { class, kind }.values(head, &logits);
        let l = (0..logits.shape()[0]).map(|n| logits.row(n)[class]);
        found.extend(p.iter().zip(l).map(|(&p, l)| (f64::from(p), f64::from(l))));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        removal: Removal,
    }

    fn maps(more: &[&str]) -> Vec<String> {
        let words = ["removal", "objects", "--photographs", "x", "--out", "y"];
        let line = Line::try_parse_from(words.iter().chain(more)).unwrap();
        let wanted = line.removal.wanted().unwrap();
        wanted.into_iter().map(|w| w.name).collect()
    }

    #[test]
    fn controls_stand_beside_the_methods_that_are_named() {
        let controls = attribution::METHODS.iter().map(|m| m.meta());
        let controls = controls.filter(|m| m.family == Family::Control).count();
        let all = maps(&[]);
        assert_eq!(all.len(), METHODS.len() + degrade::LEVELS.len() + controls);
        assert!(all.contains(&"grad-cam~80".to_owned()) && all.contains(&"random".to_owned()));
        assert_eq!(maps(&["--methods", "lrp"]), ["lrp"]);
        let some = maps(&["--methods", "random", "lrp", "--controls"]);
        assert_eq!(some[..2], ["random", "lrp"]);
        assert_eq!(some.len(), 1 + controls, "random is there once");
        assert_eq!(maps(&["--methods", "lrp", "--degrade", "lrp"]).len(), 5);
    }
}
