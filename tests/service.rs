//! The whole protocol natively: what the page asks, answered without a browser.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lucarne::error::{Error, RunError};
use lucarne::exec::pool::{Batch, Lanes};
use lucarne::job::{Host, Report, Silent};
use lucarne::protocol::{
    Choice, Provenance, Reply, Request, WireEntry, WireRegistry, WireTarget, WireTargetKind, WireValue,
};
use lucarne::service::{Beside, LaneSource, Service};
use lucarne::{BoxFuture, Tensor};
use pollster::block_on;

fn onnx(net: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/nets/{net}.onnx", env!("CARGO_MANIFEST_DIR"))).expect("the test network is there")
}

struct NoLanes;
impl LaneSource for NoLanes {
    fn lanes(&self, _: &str) -> Rc<dyn Lanes> {
        Rc::new(NoLanes)
    }
}
impl Lanes for NoLanes {
    fn count(&self) -> usize {
        0
    }
    fn send(&self, _: usize, _: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>> {
        let why = "there are no siblings".to_owned();
        Box::pin(std::future::ready(Err(RunError::WorkerLost { why }.into())))
    }
    fn now(&self) -> f64 {
        0.0
    }
}

/// Cancels after a number of steps, and keeps what was reported.
#[derive(Default)]
struct Watch {
    steps_left: Cell<Option<u32>>,
    reports: RefCell<Vec<Report>>,
}

impl Host for Watch {
    fn report(&self, report: Report) {
        self.reports.borrow_mut().push(report);
    }
    fn breathe(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    fn cancelled(&self) -> bool {
        match self.steps_left.get() {
            Some(0) => true,
            Some(n) => {
                self.steps_left.set(Some(n - 1));
                false
            }
            None => false,
        }
    }
    fn due(&self) -> bool {
        false
    }
}

fn ask(service: &Service, request: Request, beside: Vec<Beside>) -> Result<(Reply, Vec<Beside>), Error> {
    block_on(service.answer(request, beside, &Silent))
}

fn loaded(net: &str) -> (Service, String) {
    let service = Service::new(Box::new(NoLanes));
    let inspected = ask(
        &service,
        Request::Inspect {
            job: 1,
            name: format!("{net}.onnx"),
        },
        vec![Beside::Bytes(onnx(net))],
    );
    let Ok((Reply::Inspected(found), _)) = inspected else {
        panic!("{inspected:?}")
    };
    let model = found.card.id.clone();
    let request = Request::LoadModel {
        job: 2,
        card: found.card,
        labels: Vec::new(),
    };
    let reply = ask(&service, request, vec![Beside::Bytes(onnx(net))]);
    let Ok((Reply::ModelLoaded(info), _)) = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(info.gradient_error, None);
    let rgba = (0..40 * 50 * 4).map(|i| (i * 7 % 251) as u8).collect();
    let request = Request::LoadPicture {
        job: 3,
        picture: "p".into(),
        width: 40,
        height: 50,
    };
    ask(&service, request, vec![Beside::Bytes(rgba)]).expect("the picture is kept");
    (service, model)
}

fn choice(id: &str) -> Choice {
    Choice {
        id: id.into(),
        params: std::collections::BTreeMap::new(),
    }
}

const TARGET: WireTarget = WireTarget {
    class: 1,
    kind: WireTargetKind::Logit,
};

fn attribute(model: &str, method: Choice) -> Request {
    let (picture, removal) = ("p".into(), choice("constant"));
    Request::Attribute {
        job: 5,
        model: model.into(),
        picture,
        method,
        removal,
        target: TARGET,
        baseline: None,
        seed: 9,
    }
}

/// The picture itself as the baseline: nothing differs, and provenance says what it was compared with.
#[test]
fn another_picture_can_be_the_baseline() {
    let (service, model) = loaded("residual");
    let mut method = choice("deep-lift");
    method
        .params
        .insert("reference".into(), WireValue::Text("picture".into()));
    let ask_with = |key: Option<&str>| {
        let mut request = attribute(&model, method.clone());
        if let Request::Attribute { baseline, .. } = &mut request {
            *baseline = key.map(str::to_owned);
        }
        ask(&service, request, vec![])
    };
    let Ok((Reply::Attributed(a), beside)) = ask_with(Some("p")) else {
        panic!("no map")
    };
    let [Beside::Floats(map)] = &beside[..] else {
        panic!("a map lies beside")
    };
    assert!(map.iter().all(|&v| v == 0.0));
    assert_eq!(a.provenance.baseline_sha256, Some(a.provenance.input_sha256));
    let error = ask_with(None).expect_err("no picture was given").to_string();
    assert!(error.contains("reference"), "{error}");
    assert!(ask_with(Some("nobody")).is_err());

    // A metric that explains again compares with the same picture.
    let ones = Beside::Floats(vec![1.0; a.shape.iter().product()]);
    let score_with = |key: Option<&str>| {
        let request = Request::Evaluate {
            job: 6,
            model: model.clone(),
            picture: "p".into(),
            shape: a.shape.clone(),
            method: Some(method.clone()),
            truth: false,
            other: None,
            set: Vec::new(),
            metric: choice("max-sensitivity"),
            removal: choice("constant"),
            draws: 0,
            target: TARGET,
            baseline: key.map(str::to_owned),
            seed: 1,
        };
        ask(&service, request, vec![ones.clone()])
    };
    let Ok((Reply::Evaluated(e), _)) = score_with(Some("p")) else {
        panic!("no score")
    };
    assert_eq!(e.provenance.baseline_sha256, Some(e.provenance.input_sha256));
    let error = score_with(None).expect_err("no picture was given").to_string();
    assert!(error.contains("reference"), "{error}");
}

#[test]
fn a_picture_is_cut_into_superpixels() {
    let (service, model) = loaded("residual");
    // Dark to the left, bright to the right.
    let rgba = (0..50 * 40)
        .flat_map(|i| [if i % 40 < 20 { 0 } else { 250 }; 4])
        .collect();
    let picture = Request::LoadPicture {
        job: 1,
        picture: "halves".into(),
        width: 40,
        height: 50,
    };
    ask(&service, picture, vec![Beside::Bytes(rgba)]).expect("the picture is kept");
    let cut = |segments| {
        let request = Request::Segment {
            job: 1,
            model: model.clone(),
            picture: "halves".into(),
            segments,
        };
        ask(&service, request, vec![])
    };
    let Ok((Reply::Segmented { count }, beside)) = cut(8) else {
        panic!("no segments")
    };
    let [Beside::Floats(labels)] = &beside[..] else {
        panic!("labels lie beside")
    };
    let mut seen: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(count > 1);
    assert_eq!(seen, (0..count).collect::<Vec<_>>());
    let error = cut(0).expect_err("nothing to cut into").to_string();
    assert!(error.contains("segments"), "{error}");
    assert!(cut(usize::MAX).is_err());
}

#[test]
fn a_picture_is_predicted_explained_scored_and_imputed() {
    let (service, model) = loaded("residual");
    let request = Request::Predict {
        job: 4,
        model: model.clone(),
        picture: "p".into(),
        top: 3,
    };
    let Ok((Reply::Predicted { classes }, _)) = ask(&service, request, vec![]) else {
        panic!("no answer")
    };
    assert_eq!(classes.len(), 3);
    assert!(classes[0].probability >= classes[1].probability && classes[1].probability >= classes[2].probability);

    let Ok((Reply::Attributed(a), beside)) = ask(&service, attribute(&model, choice("gradient")), vec![]) else {
        panic!("no map")
    };
    let [Beside::Floats(map)] = &beside[..] else {
        panic!("a map lies beside")
    };
    assert_eq!(map.len(), a.shape.iter().product::<usize>());
    assert_eq!((a.provenance.forward, a.provenance.backward), (1, 1));
    assert_eq!((a.provenance.seed, a.provenance.device.as_str()), (9, "cpu x1"));

    let request = Request::Evaluate {
        job: 6,
        model: model.clone(),
        picture: "p".into(),
        shape: a.shape.clone(),
        method: None,
        truth: false,
        other: None,
        set: Vec::new(),
        metric: choice("deletion"),
        removal: choice("channel-mean"),
        draws: 0,
        target: TARGET,
        baseline: None,
        seed: 1,
    };
    let Ok((Reply::Evaluated(e), _)) = ask(&service, request, beside) else {
        panic!("no score")
    };
    assert!(e.score.is_some_and(f64::is_finite));
    assert_eq!(e.provenance.removal.map(|r| r.id), Some("channel-mean".to_owned()));

    let Ok((Reply::Prepared { width, height, .. }, seen)) = ask(
        &service,
        Request::Prepare {
            job: 7,
            model: model.clone(),
            picture: "p".into(),
        },
        vec![],
    ) else {
        panic!("nothing to see")
    };
    let mask: Vec<u8> = (0..width * height).map(|i| u8::from(i % 3 == 0)).collect();
    let [Beside::Bytes(seen)] = &seen[..] else {
        panic!("no picture")
    };
    // Filled, or left out of the network: kept pixels stay, and there is an answer.
    for removal in ["noisy-linear", "layer-masking"] {
        let request = Request::Impute {
            job: 8,
            model: model.clone(),
            picture: "p".into(),
            removal: choice(removal),
            answer: true,
            seed: 1,
        };
        let Ok((Reply::Imputed { classes, .. }, filled)) = ask(&service, request, vec![Beside::Bytes(mask.clone())])
        else {
            panic!("{removal}: nothing filled")
        };
        assert!(classes.is_sorted_by(|a, b| a.probability >= b.probability));
        assert!((classes.iter().map(|c| f64::from(c.probability)).sum::<f64>() - 1.0).abs() < 1e-5);
        let [Beside::Bytes(filled)] = &filled[..] else {
            panic!("no picture")
        };
        for (i, &gone) in mask.iter().enumerate() {
            assert!(
                gone != 0 || seen[4 * i..4 * i + 4] == filled[4 * i..4 * i + 4],
                "{removal}: kept pixel {i} changed"
            );
        }
    }
}

#[test]
fn a_long_method_streams_partial_maps_and_can_be_cancelled() {
    let (service, model) = loaded("residual");
    let rise = attribute(&model, choice("rise"));
    let watch = Watch::default();
    block_on(service.answer(rise.clone(), vec![], &watch)).expect("a map");
    let reports = watch.reports.take();
    assert!(
        reports.iter().any(|r| matches!(r, Report::Partial { .. })),
        "partial maps are streamed"
    );
    let Some(Report::Progress { done, total }) =
        reports.into_iter().rev().find(|r| matches!(r, Report::Progress { .. }))
    else {
        panic!("no progress")
    };
    assert_eq!(done, total, "the total announced is the total run");

    let watch = Watch::default();
    watch.steps_left.set(Some(3));
    assert_eq!(
        block_on(service.answer(rise, vec![], &watch)).err(),
        Some(Error::Cancelled)
    );
    assert!(watch.reports.take().len() <= 8, "it stopped at once");
}

#[test]
fn bad_requests_are_told_what_is_wrong() {
    let (service, model) = loaded("residual");
    let text = |request, beside| ask(&service, request, beside).expect_err("it is refused").to_string();
    let unknown = text(attribute("nothing", choice("gradient")), vec![]);
    assert!(unknown.contains("nothing") && unknown.contains(&model), "{unknown}");
    assert!(text(attribute(&model, choice("magic")), vec![]).contains("integrated-gradients"));
    let impute = Request::Impute {
        job: 1,
        model: model.clone(),
        picture: "p".into(),
        removal: choice("constant"),
        answer: false,
        seed: 0,
    };
    assert!(text(impute, vec![Beside::Bytes(vec![0; 3])]).contains("mask"));
    let evaluate = |shape: Vec<usize>| Request::Evaluate {
        job: 1,
        model: model.clone(),
        picture: "p".into(),
        shape,
        method: None,
        truth: false,
        other: None,
        set: Vec::new(),
        metric: choice("deletion"),
        removal: choice("constant"),
        draws: 0,
        target: TARGET,
        baseline: None,
        seed: 0,
    };
    assert!(text(evaluate(vec![usize::MAX, 2]), vec![Beside::Floats(vec![0.0; 4])]).contains("map"));
    assert!(text(evaluate(vec![1, 2, 2]), vec![Beside::Floats(vec![f32::NAN; 4])]).contains("finite"));
    assert!(text(evaluate(vec![1, 2, 2]), vec![]).contains("beside"));
    let picture = Request::LoadPicture {
        job: 1,
        picture: "q".into(),
        width: 10,
        height: 10,
    };
    assert!(ask(&service, picture, vec![Beside::Bytes(vec![0; 7])]).is_err());
    let target = WireTarget {
        class: 1_000_000,
        kind: WireTargetKind::Logit,
    };
    let Request::Attribute {
        job,
        model,
        picture,
        method,
        removal,
        seed,
        ..
    } = attribute(&model, choice("gradient"))
    else {
        unreachable!()
    };
    let request = Request::Attribute {
        job,
        model,
        picture,
        method,
        removal,
        target,
        baseline: None,
        seed,
    };
    assert!(text(request, vec![]).contains("target"));
}

#[test]
fn an_estimate_is_what_a_run_announces_and_refusals_come_before_it() {
    let (service, model) = loaded("residual");
    let entry = |registry, id: &str, params: &[(&str, WireValue)]| WireEntry {
        registry,
        entry: Choice {
            id: id.into(),
            params: params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        },
    };
    let samples = [("samples", WireValue::Number(7.0))];
    let request = Request::Estimate {
        job: 6,
        model: model.clone(),
        of: vec![
            entry(WireRegistry::Method, "smooth-grad", &samples),
            entry(WireRegistry::Method, "rise", &[("keep", WireValue::Number(2.0))]),
            entry(
                WireRegistry::Method,
                "grad-cam",
                &[("layer", WireValue::Text("nowhere".into()))],
            ),
            entry(WireRegistry::Metric, "insertion", &[("steps", WireValue::Number(0.0))]),
            entry(WireRegistry::Imputer, "gaussian-blur", &[]),
        ],
    };
    let Ok((Reply::Estimated { of }, _)) = ask(&service, request, vec![]) else {
        panic!("no estimates")
    };
    let watch = Watch::default();
    let mut run = choice("smooth-grad");
    run.params.insert("samples".into(), WireValue::Number(7.0));
    let ran = block_on(service.answer(attribute(&model, run), vec![], &watch));
    let Ok((Reply::Attributed(found), _)) = ran else {
        panic!("no map")
    };
    let Provenance { forward, backward, .. } = found.provenance;
    assert_eq!((of[0].forward, of[0].backward), (forward, backward));
    assert_eq!(of[0].refusal, None);
    let refused = |k: usize| of[k].refusal.as_ref().and_then(|e| e.place.clone());
    assert_eq!(refused(1).as_deref(), Some("keep"));
    assert_eq!(refused(2).as_deref(), Some("nowhere"));
    assert_eq!(refused(3).as_deref(), Some("steps"));
    assert_eq!(of[4].refusal, None);
}

#[test]
fn a_removal_is_gauged_with_its_filling() {
    let (service, model) = loaded("residual");
    let prepare = Request::Prepare {
        job: 4,
        model: model.clone(),
        picture: "p".into(),
    };
    let Ok((Reply::Prepared { width, height, .. }, _)) = ask(&service, prepare, Vec::new()) else {
        panic!("it is prepared")
    };
    let gauge = |draws: u32| Request::Gauge {
        job: 5,
        model: model.clone(),
        picture: "p".into(),
        removal: choice("uniform-noise"),
        draws,
        seed: 9,
    };
    let mask: Vec<u8> = (0..width * height).map(|i| u8::from(i % 3 == 0)).collect();
    let Ok((Reply::Gauged(found), beside)) = ask(&service, gauge(2), vec![Beside::Bytes(mask.clone())]) else {
        panic!("it is gauged")
    };
    assert_eq!((found.width, found.height), (width, height));
    assert!(matches!(&beside[..], [Beside::Bytes(rgba)] if rgba.len() == width * height * 4));
    assert_eq!(found.provenance.target.class, found.original[0].class);
    assert_eq!(
        (found.provenance.forward, found.provenance.of.id.as_str()),
        (4, "gauge")
    );
    assert!(found.answers.len() >= found.original.len() && found.original[0].logit >= found.original[1].logit);
    let ids: Vec<String> = found.gauges.iter().map(|g| g.id.clone()).collect();
    assert_eq!(
        ids,
        lucarne::criteria::CRITERIA
            .iter()
            .map(|c| c.meta().id)
            .collect::<Vec<_>>()
    );
    let of = |found: &[lucarne::protocol::Gauge], id: &str| {
        found
            .iter()
            .find(|g| g.id == id)
            .map(|g| (g.value, g.undefined.clone()))
            .expect("it is there")
    };
    assert!(
        of(&found.gauges, "mahalanobis-shift")
            .1
            .is_some_and(|why| why.contains("not known"))
    );

    let load = |service: &Service, model: &str, bytes: Vec<u8>| {
        let model = model.to_owned();
        ask(
            service,
            Request::LoadFeatures { job: 6, model },
            vec![Beside::Bytes(bytes)],
        )
    };
    let samples: Vec<Vec<f64>> = (0..40)
        .map(|i| (0..32).map(|k| f64::from((i * 7 + k * k * 3 + i * k) % 11)).collect())
        .collect();
    let mut of_one = 0;
    for width in 1..=32 {
        let samples: Vec<Vec<f64>> = samples.iter().map(|s| s[..width].to_vec()).collect();
        let known = lucarne::criteria::Features::of(&samples, 1).expect("they vary");
        load(&service, &model, known.to_npy()).expect("they are kept");
        let Ok((Reply::Gauged(found), _)) = ask(&service, gauge(1), vec![Beside::Bytes(mask.clone())]) else {
            panic!("it is gauged")
        };
        let (value, why) = of(&found.gauges, "mahalanobis-shift");
        assert!(
            value.is_some() || why.is_some_and(|why| why.contains("another network")),
            "{width}"
        );
        of_one += usize::from(value.is_some());
    }
    assert_eq!(of_one, 1, "the network's features have one width");
    for bad in [
        load(&service, &model, vec![1, 2, 3]),
        load(&service, "no-such", Vec::new()),
    ] {
        assert!(bad.is_err());
    }
    let short = ask(&service, gauge(1), vec![Beside::Bytes(vec![0; 3])]);
    assert!(short.is_err_and(|e| e.to_string().contains("the mask")));
    assert!(ask(&service, gauge(65), vec![Beside::Bytes(mask)]).is_err_and(|e| e.to_string().contains("draws")));
}
