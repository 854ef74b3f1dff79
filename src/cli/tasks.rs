//! The commands that run a network or fill pixels.

use std::rc::Rc;

use lucarne::exec::Executor;
use lucarne::imputer::{ImputeContext, Networks};
use lucarne::metric::Evidence;
use lucarne::protocol::{Attributed, Choice, ClassScore, WireTarget};
use lucarne::rng::SeedStream;
use lucarne::session::{self, Question};
use lucarne::{Input, Job, Tensor};
use pollster::block_on;
use serde::Serialize;

use super::arguments::{Class, Explain, Impute, Network, Predict, Question as Asked, Subject, Where};
use super::failure::Failure;
use super::output::{self, Format};
use super::progress::Terminal;
use super::{engines, models, pictures, values};

/// A loaded network and a prepared picture.
struct Loaded {
    pool: Rc<dyn Executor>,
    input: Input,
    networks: Networks,
}

impl Loaded {
    fn new(subject: &Subject) -> Result<Self, Failure> {
        let model = models::load(&subject.model, &subject.network)?;
        let input = pictures::input(&subject.input, model.card())?;
        Ok(Self {
            pool: engines::engine(&model, &subject.network)?,
            input,
            networks: models::networks()?,
        })
    }

    fn classes(&self, top: usize) -> Result<Vec<ClassScore>, Failure> {
        let host = Terminal::new();
        Ok(block_on(session::predict(
            &*self.pool,
            &Job::new(&host),
            &self.input,
            top,
        ))?)
    }

    /// The class asked for, or the first answer.
    fn target(&self, asked: &Asked) -> Result<WireTarget, Failure> {
        let class = match asked.target {
            Class::Index(class) => class,
            Class::Auto => self.classes(1)?.first().map_or(0, |best| best.class),
            Class::Label => {
                let hint = "Give a class index, or `auto`.";
                return Err(Failure::usage("one picture has no label", hint));
            }
        };
        Ok(WireTarget {
            class,
            kind: asked.target_kind.into(),
        })
    }

    fn question<'a>(&'a self, job: &'a Job<'a>, asked: &'a Resolved) -> Question<'a> {
        Question {
            exec: &*self.pool,
            job,
            input: &self.input,
            target: asked.target,
            removal: &asked.removal,
            networks: &self.networks,
            random: &asked.random,
        }
    }
}

/// What is asked, checked.
struct Resolved {
    target: WireTarget,
    removal: Choice,
    random: SeedStream,
}

fn resolve(loaded: &Loaded, asked: &Asked, removal: Choice) -> Result<Resolved, Failure> {
    let target = loaded.target(asked)?;
    Ok(Resolved {
        target,
        removal,
        random: SeedStream::new(u64::from(asked.removal.seed)),
    })
}

/// `predict`.
pub fn predict(arguments: &Predict, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer {
        model: String,
        classes: Vec<ClassScore>,
    }
    let loaded = Loaded::new(&arguments.subject)?;
    let classes = loaded.classes(arguments.top)?;
    if json {
        let model = loaded.pool.model().card().id.clone();
        return output::print_json(&Answer { model, classes });
    }
    let row = |c: &ClassScore| {
        vec![
            format!("{:>7.3} %", 100.0 * c.probability),
            format!("{:>6}", c.class),
            c.label.clone(),
        ]
    };
    output::print_table(&classes.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// `explain`.
pub fn explain(arguments: &Explain, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        attributed: &'a Attributed,
        map: &'a [f32],
    }
    let forms = [Format::Npy, Format::Png, Format::Json];
    let format = arguments
        .output
        .as_deref()
        .map(|path| Format::of(path, &forms))
        .transpose()?;
    let method = values::method(&arguments.method, &arguments.param)?;
    let removal = values::imputer(
        &arguments.question.removal.imputer,
        &arguments.question.removal.imputer_param,
    )?;
    let loaded = Loaded::new(&arguments.subject)?;
    let mut asked = resolve(&loaded, &arguments.question, removal)?;
    let card = loaded.pool.model().card();
    let baselines = arguments.baseline.iter().map(|path| pictures::input(path, card));
    let baselines = baselines.collect::<Result<Vec<_>, _>>()?;
    asked.random = session::with_baselines(asked.random, loaded.pool.model(), &baselines)?;
    let (map, attributed) = attribute(&loaded, &asked, &method)?;
    if let (Some(path), Some(format)) = (arguments.output.as_deref(), format) {
        match format {
            Format::Npy => output::write_npy(path, &map)?,
            Format::Json => output::write_json(
                path,
                &Whole {
                    attributed: &attributed,
                    map: map.data(),
                },
            )?,
            Format::Png => output::write_heat_map(path, &Evidence::new(&loaded.input, &map, None)?.relevance)?,
        }
    }
    if json {
        return output::print_json(&attributed);
    }
    let Attributed {
        shape,
        completeness_gap,
        provenance,
        ..
    } = &attributed;
    let gap = completeness_gap
        .map(|gap| format!(", completeness gap {gap:.3e}"))
        .unwrap_or_default();
    let passes = provenance.forward + provenance.backward;
    let (class, label) = (provenance.target.class, &provenance.label);
    output::print(&format!(
        "{} of class {class} ({label}): {shape:?}, {passes} passes{gap}\n",
        method.id
    ));
    Ok(())
}

fn attribute(loaded: &Loaded, asked: &Resolved, method: &Choice) -> Result<(Tensor, Attributed), Failure> {
    let host = Terminal::new();
    let job = Job::new(&host);
    Ok(block_on(session::explain(&loaded.question(&job, asked), method))?)
}

/// `impute`.
pub fn impute(arguments: &Impute, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer<'a> {
        shape: &'a [usize],
        removed: usize,
        removal: &'a Choice,
        seed: u32,
    }
    let format = Format::of(&arguments.output, &[Format::Npy, Format::Png])?;
    let removal = values::imputer(&arguments.removal.imputer, &arguments.removal.imputer_param)?;
    let input = match &arguments.model {
        None => pictures::plain(&arguments.input)?,
        Some(name) => {
            let options = Network {
                card: arguments.card.clone(),
                labels: None,
                workers: None,
                device: Where::Cpu,
            };
            pictures::input(&arguments.input, models::load(name, &options)?.card())?
        }
    };
    let [channels, height, width] = input.dims();
    if format == Format::Png && ![1, 3].contains(&channels) {
        let message = format!("an input of {channels} channels can't be shown");
        return Err(Failure::new(message, "Write it to a .npy file."));
    }
    let removed = pictures::mask(&arguments.mask, height, width)?;
    let host = Terminal::new();
    let random = SeedStream::new(u64::from(arguments.removal.seed));
    let cx = ImputeContext {
        job: &Job::new(&host),
        random: &random,
        networks: &models::networks()?,
        device: None,
    };
    let filled = block_on(session::impute(&cx, &input, &removed, &removal))?;
    match format {
        Format::Npy => output::write_npy(&arguments.output, &filled)?,
        _ => output::write_picture(&arguments.output, &input.with(filled.clone()))?,
    }
    let shape = filled.shape();
    if json {
        let seed = arguments.removal.seed;
        return output::print_json(&Answer {
            shape,
            removed: removed.count(),
            removal: &removal,
            seed,
        });
    }
    output::print(&format!(
        "{}: {} of {} pixels filled\n",
        removal.id,
        removed.count(),
        height * width
    ));
    Ok(())
}
