//! `study criteria`.

use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use lucarne::criteria::detectability::DETECTOR;
use lucarne::criteria::{CRITERIA, Case, Eye, Features, Look, frame};
use lucarne::exec::Executor;
use lucarne::imputer::{self, ImputeContext, Networks};
use lucarne::metric::Score;
use lucarne::model::sha256_hex;
use lucarne::rng::{SeedStream, Stream};
use lucarne::study::criteria::{COLUMNS, Kind, WORDS};
use lucarne::study::table::number;
use lucarne::{Context, Error, Input, Job, Mask, Model, Tensor};
use pollster::block_on;

use super::super::failure::Failure;
use super::super::{engines, models, output, pictures};
use super::lines::Lines;
use super::{Bench, Item, Set, UNWATCHED, load};

/// `study criteria`.
#[derive(Args)]
pub struct Criteria {
    #[command(flatten)]
    pub set: Set,
    /// Removed shares, in percent
    #[arg(long, value_name = "P", num_args = 1.., default_values_t = [10, 30, 50, 70, 90],
        value_parser = clap::value_parser!(u32).range(1..=99))]
    pub fractions: Vec<u32>,
    /// Fillings of an imputer that draws random numbers
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub draws: u32,
}

/// A picture that was opened.
struct Opened {
    input: Input,
    truth: Option<Mask>,
    class: usize,
    look: Look,
}

struct Run<'a> {
    arguments: &'a Criteria,
    model: &'a Model,
    pool: Rc<dyn Executor>,
    eye: Eye,
    networks: Networks,
    features: Option<Features>,
    imputers: Vec<String>,
    lines: Lines,
    random: SeedStream,
}

/// Runs over the pictures.
pub fn run(arguments: &Criteria, json: bool) -> Result<(), Failure> {
    let set = &arguments.set;
    let items = set.items()?;
    let model = load(set)?;
    let networks = models::networks()?;
    let imputers = set.imputers(&networks)?;
    set.note_networks(&networks, &imputers)?;
    let features = models::features(&model)?;
    let digest = |sha256: Option<String>| sha256.map_or_else(|| "none".to_owned(), |s| s[..16].to_owned());
    let about = format!(
        "{}; draws {}; detector {}; features {}",
        set.about("criteria", &model),
        arguments.draws,
        digest(networks.sha256(DETECTOR)),
        digest(features.as_ref().map(|f| sha256_hex(&f.to_npy())))
    );
    let lines = Lines::open(&set.file("criteria", &model)?, &about, COLUMNS, WORDS + 1)?;
    let known = lines.known();
    let mut run = Run {
        arguments,
        model: &model,
        pool: engines::engine(&model, &set.network)?,
        eye: Eye::new(&model),
        networks,
        features,
        imputers,
        lines,
        random: SeedStream::new(u64::from(set.seed)),
    };
    let (start, mut failed) = (Instant::now(), 0);
    for at in 0..items.len() {
        match run.picture(&items, at) {
            Ok(true) => eprintln!(
                "{} of {} pictures in {:.0} s",
                at + 1,
                items.len(),
                start.elapsed().as_secs_f64()
            ),
            Ok(false) => {}
            Err(failure) => {
                eprintln!("lucarne: {}: {failure}", items[at].name);
                failed += 1;
            }
        }
    }
    let lines = run.lines.known();
    if json {
        let summary = serde_json::json!({ "pictures": items.len(), "failed": failed, "lines": lines, "known": known });
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

/// One removal of a picture.
struct Task {
    kind: Kind,
    percent: u32,
    removed: Mask,
    /// The class whose probability is read.
    class: usize,
}

impl Run<'_> {
    fn open(&self, item: &Item) -> Result<Opened, Failure> {
        let source = pictures::source(&item.path, self.model.card())?;
        let truth = self.arguments.set.truth(item, &source, self.model)?;
        let job = Job::new(&UNWATCHED);
        let bench = Bench {
            exec: &*self.pool,
            networks: &self.networks,
            job: &job,
        };
        let cx = bench.context(&self.random, 0, "constant")?;
        let look = block_on(self.eye.look(&cx, std::slice::from_ref(&source.input.tensor)))?.remove(0);
        Ok(Opened {
            class: look.answer(),
            input: source.input,
            truth,
            look,
        })
    }

    /// Whether anything was computed.
    fn picture(&mut self, items: &[Item], at: usize) -> Result<bool, Failure> {
        let item = &items[at];
        let key = |imputer: &str, kind: Kind, percent: u32| format!("{},{imputer},{},{percent}", item.name, kind.id());
        let opened = self.open(item)?;
        // The next picture of another class lends its object's shape.
        let other = opened.truth.as_ref().and_then(|_| {
            let next = (1..items.len()).map(|step| &items[(at + step) % items.len()]);
            let other = next.into_iter().find(|i| i.label != item.label)?;
            self.open(other).ok().filter(|o| o.class != opened.class)
        });
        let tasks = self.tasks(&opened, other.as_ref());
        let mut ran = false;
        for imputer in self.imputers.clone() {
            let left: Vec<&Task> = tasks
                .iter()
                .filter(|t| !self.lines.has(&key(&imputer, t.kind, t.percent)))
                .collect();
            if left.is_empty() {
                continue;
            }
            ran = true;
            let bare = self.bare(&opened, &imputer)?;
            for task in left {
                let cells = self.cells(&opened, &imputer, task, bare.as_ref())?;
                self.lines.add(&key(&imputer, task.kind, task.percent), &cells)?;
            }
        }
        Ok(ran)
    }

    fn tasks(&self, opened: &Opened, other: Option<&Opened>) -> Vec<Task> {
        let mut tasks = Vec::new();
        for kind in Kind::ALL {
            if kind.needs_truth() && opened.truth.is_none() {
                continue;
            }
            if kind.has_share() {
                for &percent in &self.arguments.fractions {
                    let mut draw = self.random.stream(&format!("study/{}", kind.id()));
                    tasks.push(Task {
                        kind,
                        percent,
                        removed: drawn(kind, percent, opened, &mut draw),
                        class: opened.class,
                    });
                }
            } else if let Some(truth) = &opened.truth {
                let (removed, class) = match (kind, other) {
                    (Kind::Object, _) => (truth.clone(), opened.class),
                    (
                        _,
                        Some(Opened {
                            truth: Some(shape),
                            class,
                            ..
                        }),
                    ) => {
                        let bits = truth.bits().iter().zip(shape.bits()).map(|(a, b)| *a || *b).collect();
                        (Mask::new(truth.height(), truth.width(), bits), *class)
                    }
                    _ => continue,
                };
                let percent = (100 * removed.count() / removed.bits().len()) as u32;
                tasks.push(Task {
                    kind,
                    percent,
                    removed,
                    class,
                });
            }
        }
        tasks
    }

    /// What the network sees in the bare frame, or why that can't be filled.
    fn bare(&self, opened: &Opened, imputer: &str) -> Result<Result<Look, String>, Failure> {
        let job = Job::new(&UNWATCHED);
        let bench = Bench {
            exec: &*self.pool,
            networks: &self.networks,
            job: &job,
        };
        let cx = bench.context(&self.random, opened.class, imputer)?;
        let [_, height, width] = opened.input.dims();
        let Some(inside) = frame::inside(height, width) else {
            return Ok(Err("the picture is too small to have a frame and an inside".into()));
        };
        let run = async {
            let filled = cx.impute(&opened.input, &inside).await?;
            Ok::<_, Error>(self.eye.look(&cx, &[filled]).await?.remove(0))
        };
        Ok(block_on(run).map_err(|e| e.to_string()))
    }

    fn cells(
        &self,
        opened: &Opened,
        imputer: &str,
        task: &Task,
        bare: Result<&Look, &String>,
    ) -> Result<Vec<String>, Failure> {
        let job = Job::new(&UNWATCHED);
        let bench = Bench {
            exec: &*self.pool,
            networks: &self.networks,
            job: &job,
        };
        let cx = bench.context(&self.random, opened.class, imputer)?;
        let found = block_on(self.fillings(&cx, opened, task));
        let (fillings, after, ms) = match found {
            Ok(found) => found,
            Err(error) => {
                let mut cells = vec![String::new(); CRITERIA.len() + 3];
                cells.push(lucarne::study::table::cell(&error.to_string()));
                return Ok(cells);
            }
        };
        let case = Case {
            input: &opened.input,
            removed: &task.removed,
            fillings: &fillings,
            stochastic: imputer::find(imputer)?.meta().stochastic,
            class: opened.class,
            before: &opened.look,
            after: &after,
            bare: bare.map_err(String::as_str),
            features: self.features.as_ref(),
            networks: &self.networks,
        };
        let mut cells: Vec<String> = CRITERIA
            .iter()
            .map(|criterion| match criterion.measure_dyn(&case) {
                Score::Value(value) => number(value, 4),
                Score::Undefined(_) => String::new(),
            })
            .collect();
        let mean = |of: &dyn Fn(&Look) -> f64| after.iter().map(of).sum::<f64>() / after.len() as f64;
        cells.push(number(mean(&|look| look.probability(task.class)), 4));
        cells.push(number(
            mean(&|look| f64::from(u8::from(look.answer() != opened.class))),
            3,
        ));
        cells.push(number(ms, 2));
        cells.push(String::new());
        Ok(cells)
    }

    /// The fillings, what the network sees in them, and milliseconds a filling.
    async fn fillings(
        &self,
        cx: &Context<'_>,
        opened: &Opened,
        task: &Task,
    ) -> Result<(Vec<Tensor>, Vec<Look>, f64), Error> {
        let draws = if cx.removal.imputer.meta().stochastic {
            self.arguments.draws
        } else {
            1
        };
        let mut fillings = Vec::new();
        let start = Instant::now();
        for k in 0..draws {
            let random = self.random.draw(k);
            let with = ImputeContext {
                random: &random,
                ..cx.imputing()
            };
            let removal = &cx.removal;
            fillings
                .push(imputer::impute(removal.imputer, &removal.params, &with, &opened.input, &task.removed).await?);
        }
        let ms = start.elapsed().as_secs_f64() * 1e3 / f64::from(draws);
        let after = self.eye.look(cx, &fillings).await?;
        Ok((fillings, after, ms))
    }
}

/// The mask of a kind that comes in shares.
fn drawn(kind: Kind, percent: u32, opened: &Opened, draw: &mut Stream) -> Mask {
    let [_, height, width] = opened.input.dims();
    let pixels = height * width;
    let order: Vec<usize> = match kind {
        Kind::Scattered => draw.permutation(pixels),
        Kind::Cells => {
            const SIDE: usize = 8;
            let across = width.div_ceil(SIDE);
            let place = draw.permutation(across * height.div_ceil(SIDE));
            let cell = |i: usize| place[i / width / SIDE * across + i % width / SIDE];
            let mut order: Vec<usize> = (0..pixels).collect();
            order.sort_by_key(|&i| cell(i));
            order
        }
        _ => {
            let noise = smooth(height, width, draw);
            let mut order: Vec<usize> = (0..pixels).collect();
            if let Some(truth) = opened.truth.as_ref().filter(|_| kind == Kind::Background) {
                order.retain(|&i| !truth.bits()[i]);
            }
            order.sort_by(|&a, &b| noise[b].total_cmp(&noise[a]));
            order
        }
    };
    let count = order.len() * percent as usize / 100;
    let mut mask = Mask::all(height, width, false);
    for &i in &order[..count] {
        mask.bits_mut()[i] = true;
    }
    mask
}

/// Bilinear noise of cells an eighth of the shorter side wide.
fn smooth(height: usize, width: usize, draw: &mut Stream) -> Vec<f32> {
    let side = (height.min(width) as f32 / 8.0).max(1.0);
    let (rows, columns) = ((height as f32 / side) as usize + 2, (width as f32 / side) as usize + 2);
    let knots: Vec<f32> = (0..rows * columns).map(|_| draw.uniform()).collect();
    let at = |i: usize| {
        let (y, x) = ((i / width) as f32 / side, (i % width) as f32 / side);
        let (r, c, t, s) = (y as usize, x as usize, y.fract(), x.fract());
        let row = |r: usize| knots[r * columns + c] * (1.0 - s) + knots[r * columns + c + 1] * s;
        row(r) * (1.0 - t) + row(r + 1) * t
    };
    (0..height * width).map(at).collect()
}
