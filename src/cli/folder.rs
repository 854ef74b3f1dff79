//! `evaluate --images`: every picture of a folder by methods, metrics and imputers, one line each. A picture that
//! fails gets a line of its own, and the run goes on.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use lucarne::exec::Executor;
use lucarne::metric::{Exhibit, Need};
use lucarne::protocol::{Choice, WireTargetKind, WireValue};
use lucarne::{Mask, Model, Tensor, attribution, session};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::arguments::{Class, Evaluate};
use super::evaluate::{self, Asked, Subject, around, needs, removes};
use super::failure::Failure;
use super::ledger::{Ledger, Row, Status, line};
use super::pictures::Source;
use super::progress::Terminal;
use super::{engines, models, output, pictures};

/// Endings of files that are taken as pictures.
pub const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "npy"];
/// Folders in folders that are looked into.
const DEPTH: usize = 16;
/// Between two lines of progress where standard error is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// A picture of the folder.
struct Item {
    path: PathBuf,
    /// Path below the folder, with forward slashes.
    name: String,
    /// Its class, where known.
    label: Option<usize>,
}

/// What became of the lines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    output: String,
    pictures: usize,
    scored: usize,
    undefined: usize,
    failed: usize,
    left_out: usize,
    /// Lines that an earlier run had written.
    known: usize,
}

/// Scores `images` into `output`.
pub fn run(arguments: &Evaluate, asked: &Asked, images: &Path, output: &Path, json: bool) -> Result<(), Failure> {
    let options = &arguments.folder;
    let model = models::load(&arguments.model, &arguments.network)?;
    for method in asked.methods.iter().chain(&asked.other) {
        attribution::find(&method.id)?.passes_dyn(&model, &method.values())?;
    }
    if let Class::Index(class) = arguments.target
        && class >= model.classes()
    {
        let message = format!(
            "the network has {} classes, so there is no class {class}",
            model.classes()
        );
        return Err(Failure::usage(message, "Give a lower index, `auto` or `label`."));
    }
    let mut found = Vec::new();
    walk(images, options.masks.as_deref(), 0, &mut found)?;
    found.sort();
    let labels = options
        .labels_file
        .as_deref()
        .map(|file| labels(file, &model))
        .transpose()?;
    let items: Vec<Item> = found
        .into_iter()
        .map(|path| item(path, images, labels.as_ref(), &model))
        .collect();
    if items.is_empty() {
        let endings = ENDINGS.join(", ");
        let message = format!("there is no picture in {}", images.display());
        return Err(Failure::new(message, format!("Pictures end in {endings}.")));
    }
    if items.iter().all(|item| item.label.is_none())
        && (options.only_correct || matches!(arguments.target, Class::Label))
    {
        let hint = "Give --labels-file, or sort the pictures into folders named as the classes are.";
        return Err(Failure::usage("no picture has a label", hint));
    }
    let mut ledger = Ledger::open(output)?;
    if let Some(note) = ledger.note.take() {
        eprintln!("lucarne: {note}.");
    }
    let scores = asked.metrics.iter().map(|(_, imputers)| imputers.len()).sum::<usize>() * asked.methods.len();
    let known = ledger.known();
    let mut run = Run {
        arguments,
        asked,
        pool: engines::engine(&model, &arguments.network)?,
        summary: Summary {
            output: output.display().to_string(),
            pictures: items.len(),
            scored: 0,
            undefined: 0,
            failed: 0,
            left_out: 0,
            known,
        },
        progress: Progress {
            total: items.len() * scores,
            past: 0,
            computed: 0,
            start: Instant::now(),
            told: Instant::now(),
        },
        items,
        ledger,
        exhibits: BTreeMap::new(),
    };
    for at in 0..run.items.len() {
        run.picture(at)?;
        run.progress.past = (at + 1) * scores;
    }
    let summary = run.summary;
    if json {
        output::print_json(&summary)?;
    } else {
        output::print(&format!(
            "{}: {} pictures, {} scored, {} undefined, {} failed, {} left out; {} lines were there before\n",
            summary.output,
            summary.pictures,
            summary.scored,
            summary.undefined,
            summary.failed,
            summary.left_out,
            summary.known
        ));
    }
    if known == 0 && summary.failed > 0 && summary.scored + summary.undefined + summary.left_out == 0 {
        let message = format!("nothing could be scored; {} says why", summary.output);
        return Err(Failure::new(message, "Delete that file before you try again."));
    }
    Ok(())
}

/// Collects the pictures below `folder`, without those below `masks`.
pub fn walk(folder: &Path, masks: Option<&Path>, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |e: std::io::Error| Failure::file("read", folder, &e);
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if depth > 0 && masks.is_some_and(|masks| same(masks, folder)) {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if path.is_dir() {
            if depth < DEPTH {
                walk(&path, masks, depth + 1, found)?;
            }
        } else if ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            found.push(path);
        }
    }
    Ok(())
}

fn item(path: PathBuf, images: &Path, labels: Option<&BTreeMap<String, usize>>, model: &Model) -> Item {
    let below = path.strip_prefix(images).unwrap_or(&path);
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let name = line(&parts.join("/"));
    let label = match labels {
        Some(labels) => labels.get(&name).copied(),
        None => parts
            .first()
            .filter(|_| parts.len() > 1)
            .and_then(|folder| class(model, folder)),
    };
    Item { path, name, label }
}

/// The class called `text`: its label, else its index.
fn class(model: &Model, text: &str) -> Option<usize> {
    let named = (0..model.classes()).find(|&k| model.label(k).eq_ignore_ascii_case(text));
    named.or_else(|| text.parse().ok().filter(|&k| k < model.classes()))
}

/// `path,label` or `path<TAB>label` a line.
fn labels(file: &Path, model: &Model) -> Result<BTreeMap<String, usize>, Failure> {
    let bytes = pictures::read(file, 64 << 20)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is no text", file.display()), ""))?;
    let mut labels = BTreeMap::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |why: &str| {
            let message = format!("line {} of {}: {why}", at + 1, file.display());
            Failure::new(message, "Write path,label with a class's name or index.")
        };
        let pair = line.split_once('\t').or_else(|| line.split_once(','));
        let (name, label) = pair.ok_or_else(|| wrong("there is no label"))?;
        let class =
            class(model, label.trim()).ok_or_else(|| wrong(&format!("no class is called \"{}\"", label.trim())))?;
        labels.insert(name.trim().replace('\\', "/"), class);
    }
    Ok(labels)
}

/// What is left to do, in scores.
struct Progress {
    total: usize,
    /// Scores of the pictures before this one.
    past: usize,
    computed: usize,
    start: Instant,
    told: Instant,
}

impl Progress {
    /// The beginning of a line, while score `at` of this picture is computed.
    fn about(&mut self, at: usize, picture: &str) -> String {
        let done = self.past + at;
        let left = (self.computed > 0).then(|| {
            let each = self.start.elapsed().as_secs_f64() / self.computed as f64;
            format!(", {:.0} s left", each * self.total.saturating_sub(done) as f64)
        });
        let text = format!("{done} of {} scores{}: {picture}", self.total, left.unwrap_or_default());
        if !std::io::stderr().is_terminal() && self.told.elapsed() > QUIET {
            self.told = Instant::now();
            eprintln!("{text}");
        }
        text + "; "
    }
}

/// A picture that is ready to be scored.
struct Opened {
    source: Source,
    answer: usize,
    /// Where every line of it begins.
    row: Row,
}

struct Run<'a> {
    arguments: &'a Evaluate,
    asked: &'a Asked,
    pool: Rc<dyn Executor>,
    items: Vec<Item>,
    ledger: Ledger,
    summary: Summary,
    progress: Progress,
    /// The pictures that follow, by index; none where one can't be read.
    exhibits: BTreeMap<usize, Option<Exhibit>>,
}

/// What one score is computed from.
struct Task<'a> {
    row: Row,
    metric: &'a Choice,
    imputer: &'a Choice,
}

impl<'a> Run<'a> {
    fn add(&mut self, row: &Row) -> Result<(), Failure> {
        match row.status {
            Status::Scored => self.summary.scored += 1,
            Status::Undefined => self.summary.undefined += 1,
            Status::Failed => self.summary.failed += 1,
            Status::LeftOut => self.summary.left_out += 1,
        }
        self.ledger.add(row)
    }

    /// A line instead of a picture's scores, unless it is there.
    fn instead(&mut self, mut row: Row, status: Status, reason: &str) -> Result<(), Failure> {
        row.status = status;
        row.reason = line(reason);
        if self.ledger.has(&row) { Ok(()) } else { self.add(&row) }
    }

    /// The columns that every line of the run shares.
    fn blank(&self, item: &Item) -> Row {
        let model = self.pool.model();
        Row {
            picture: item.name.clone(),
            label: item.label.map(|k| model.label(k)).unwrap_or_default(),
            target_kind: match self.asked.kind {
                WireTargetKind::Logit => "logit",
                WireTargetKind::Probability => "probability",
                WireTargetKind::Output => "output",
            }
            .to_owned(),
            seed: Some(self.asked.random.seed()),
            device: self.pool.device().to_string(),
            model: model.card().id.clone(),
            model_sha256: model.sha256().to_owned(),
            lucarne: env!("CARGO_PKG_VERSION").to_owned(),
            ..Row::default()
        }
    }

    fn open(&self, at: usize) -> Result<Opened, Failure> {
        let item = &self.items[at];
        let model = self.pool.model();
        let source = pictures::source(&item.path, model.card())?;
        let answer = evaluate::answer(&*self.pool, &source.input)?;
        let row = Row {
            input_sha256: session::input_sha256(&source.input),
            answer: model.label(answer),
            ..self.blank(item)
        };
        Ok(Opened { source, answer, row })
    }

    fn picture(&mut self, at: usize) -> Result<(), Failure> {
        let Opened {
            source,
            answer,
            mut row,
        } = match self.open(at) {
            Ok(opened) => opened,
            Err(failure) => return self.instead(self.blank(&self.items[at]), Status::Failed, &failure.to_string()),
        };
        let label = self.items[at].label;
        let wrong = self.arguments.folder.only_correct && label.is_some_and(|label| label != answer);
        if wrong {
            let reason = format!("the network answers {}, not {}", row.answer, row.label);
            return self.instead(row, Status::LeftOut, &reason);
        }
        let labelled = self.arguments.folder.only_correct || matches!(self.arguments.target, Class::Label);
        let class = match (self.arguments.target, label) {
            (_, None) if labelled => return self.instead(row, Status::LeftOut, "it has no label"),
            (Class::Index(class), _) => class,
            (Class::Label, Some(label)) => label,
            _ => answer,
        };
        row.target = Some(class as u64);
        row.target_label = self.pool.model().label(class);
        let truth = match self.truth(at, &source) {
            Ok(truth) => truth,
            Err(failure) => return self.instead(row, Status::Failed, &failure.to_string()),
        };
        let asked = self.asked;
        let needs_set = asked
            .metrics
            .iter()
            .any(|(metric, _)| needs(metric, Need::Set).unwrap_or(false));
        let set = if needs_set { self.set(at) } else { Vec::new() };
        let pool = self.pool.clone();
        let subject = Subject {
            exec: &*pool,
            input: &source.input,
            class,
            asked,
        };
        let mut other: Option<Result<Tensor, Failure>> = None;
        let mut counted = 0;
        for method in &asked.methods {
            let tasks = self.tasks(&row, method, truth.as_ref(), &set)?;
            let planned = tasks.len();
            let left: Vec<Task<'_>> = tasks.into_iter().filter(|task| !self.ledger.has(&task.row)).collect();
            if left.is_empty() {
                counted += planned;
                continue;
            }
            let about = self.progress.about(counted, &row.picture);
            let map = subject.explain(&Terminal::about(format!("{about}{}, ", method.id)), method);
            if let Some(choice) = asked.other.as_ref().filter(|_| other.is_none()) {
                other = Some(subject.explain(&Terminal::about(about), choice).map(|(map, _)| map));
            }
            let mut failed = map.as_ref().err().map(ToString::to_string);
            let map = map.ok().map(|(map, _)| map);
            for Task { row, metric, imputer } in left {
                counted += 1;
                let about = self.progress.about(counted, &row.picture);
                let mut row = row;
                let second = match other.as_ref().filter(|_| !row.other.is_empty()) {
                    Some(Err(failure)) => {
                        failed.get_or_insert_with(|| failure.to_string());
                        None
                    }
                    Some(Ok(map)) => Some(map),
                    None => None,
                };
                match (&map, &failed) {
                    (Some(map), None) => {
                        let around = around(metric, method, truth.as_ref(), &set, second, asked.draws)?;
                        let host = Terminal::about(format!("{about}{} of {}, ", metric.id, method.id));
                        let start = Instant::now();
                        let found = subject.score(&host, map, metric, imputer, &around);
                        row.ms = Some(start.elapsed().as_millis() as u64);
                        fill(&mut row, found);
                    }
                    (_, why) => {
                        row.status = Status::Failed;
                        row.reason = line(why.as_deref().unwrap_or("there is no map"));
                    }
                }
                self.progress.computed += 1;
                self.add(&row)?;
            }
        }
        Ok(())
    }

    /// The lines of `method`, without their outcome.
    fn tasks(
        &self,
        row: &Row,
        method: &Choice,
        truth: Option<&Mask>,
        set: &[Exhibit],
    ) -> Result<Vec<Task<'a>>, Failure> {
        let asked = self.asked;
        let removing = removes(method)?;
        let mut row = row.clone();
        row.method.clone_from(&method.id);
        row.method_params = method.params.clone();
        if removing {
            row.method_imputer.clone_from(&asked.method_imputer.id);
            row.method_imputer_params = asked.method_imputer.params.clone();
        }
        let mut tasks = Vec::new();
        for (metric, imputers) in &asked.metrics {
            let mut row = row.clone();
            row.metric.clone_from(&metric.id);
            row.metric_params = metric.params.clone();
            evaluate::direction(&metric.id)?.clone_into(&mut row.direction);
            if let Some(WireValue::Text(order)) = metric.params.get("order") {
                row.order.clone_from(order);
            }
            if let Some(WireValue::Number(steps)) = metric.params.get("steps") {
                row.steps = Some(*steps as u64);
            }
            if let Some(mask) = truth.filter(|_| needs(metric, Need::Truth).unwrap_or(false)) {
                row.mask_sha256 = sha256(mask.bits().iter().map(|&bit| [u8::from(bit)]));
            }
            if needs(metric, Need::Set)? && !set.is_empty() {
                let one = |e: &Exhibit| format!("{} {}\n", session::input_sha256(&e.input), e.class);
                row.set_sha256 = sha256(set.iter().map(one));
            }
            if let Some(other) = asked
                .other
                .as_ref()
                .filter(|_| needs(metric, Need::Other).unwrap_or(false))
            {
                row.other.clone_from(&other.id);
                row.other_params = other.params.clone();
            }
            let fills = needs(metric, Need::Imputer)? || (needs(metric, Need::Explainer)? && removing);
            for imputer in imputers {
                let mut row = row.clone();
                if fills {
                    row.imputer.clone_from(&imputer.id);
                    row.imputer_params = imputer.params.clone();
                    let stochastic = lucarne::imputer::find(&imputer.id)?.meta().stochastic;
                    row.draws = stochastic.then_some(u64::from(asked.draws));
                }
                tasks.push(Task { row, metric, imputer });
            }
        }
        Ok(tasks)
    }

    /// The mask of a picture: the file of its path below the masks' folder, with any ending that is there.
    fn truth(&self, at: usize, source: &Source) -> Result<Option<Mask>, Failure> {
        let Some(masks) = &self.arguments.folder.masks else {
            return Ok(None);
        };
        let stem = masks.join(Path::new(&self.items[at].name).with_extension(""));
        let file = ENDINGS
            .iter()
            .map(|ending| named(&stem, ending))
            .find(|file| file.is_file());
        file.map(|file| pictures::truth(&file, source, self.pool.model().card()))
            .transpose()
    }

    /// The pictures that follow, from the first again after the last, as far as they can be read.
    fn set(&mut self, at: usize) -> Vec<Exhibit> {
        let count = self.items.len();
        let others = self.arguments.folder.set.min(count - 1);
        let window: Vec<usize> = (1..=others).map(|step| (at + step) % count).collect();
        self.exhibits.retain(|k, _| window.contains(k));
        for &k in &window {
            if !self.exhibits.contains_key(&k) {
                let exhibit = self.open(k).ok().map(|opened| Exhibit {
                    input: opened.source.input,
                    class: self.items[k].label.unwrap_or(opened.answer),
                });
                self.exhibits.insert(k, exhibit);
            }
        }
        window.iter().filter_map(|k| self.exhibits.get(k)?.clone()).collect()
    }
}

/// `stem` with an ending; a stem may hold dots of its own.
pub fn named(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn fill(row: &mut Row, found: Result<lucarne::protocol::Evaluated, Failure>) {
    match found {
        Err(failure) => {
            row.status = Status::Failed;
            row.reason = line(&failure.to_string());
        }
        Ok(found) => {
            row.status = if found.score.is_some() {
                Status::Scored
            } else {
                Status::Undefined
            };
            row.device.clone_from(&found.provenance.device);
            row.score = found.score;
            row.deviation = found.spread.map(|s| s.deviation);
            row.reason = line(found.undefined.as_deref().unwrap_or(""));
            row.forward = Some(found.provenance.forward);
            row.backward = Some(found.provenance.backward);
        }
    }
}

fn sha256<T: AsRef<[u8]>>(parts: impl Iterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_ref());
    }
    hash.finalize()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
