//! What can't be done is refused with its reason, and before any pass where it can be known.

use lucarne::error::InputError;
use lucarne::exec::Executor;
use lucarne::metric::{Evidence, Score};
use lucarne::params::ParamValues;
use lucarne::{Error, Input, Tensor};

use crate::harness::{Counting, Setting, dense, net, number, picture, removal, small, text, values};

fn refused(found: Result<impl std::fmt::Debug, Error>, words: &[&str]) {
    let error = found.expect_err("this must be refused").to_string();
    for word in words {
        assert!(error.contains(word), "\"{error}\" does not say \"{word}\"");
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused_before_any_pass() {
    let inner = small();
    let exec = Counting::new(&inner, 4);
    let (x, setting) = (picture(), Setting::new(&exec));
    let map = Tensor::full(&[1, 30, 30], 1.0);
    refused(
        setting.attribute("occlusion", &x, &values([number("window", 31.0)])),
        &["window", "1 and 30"],
    );
    refused(
        setting.attribute("occlusion", &x, &values([number("stride", 9.0)])),
        &["stride", "1 and the window's 8"],
    );
    let one_left = values([number("steps", 1.0), text("quadrature", "riemann-left")]);
    refused(
        setting.attribute("integrated-gradients", &x, &one_left),
        &["steps", "at least 2"],
    );
    refused(
        setting.attribute("rise", &x, &values([number("keep", 0.0)])),
        &["keep", "0.01"],
    );
    refused(
        setting.attribute("grad-cam", &x, &values([text("layer", "nowhere")])),
        &["nowhere"],
    );
    let too_many = values([number("subset_size", 900.0)]);
    refused(
        setting.evaluate("faithfulness-correlation", &x, &map, &too_many),
        &["subset_size", "1 and 899"],
    );
    for id in ["insertion", "deletion"] {
        refused(
            setting.evaluate(id, &x, &map, &values([number("steps", 901.0)])),
            &["steps", "1 and 900"],
        );
    }
    let no_class = Setting {
        class: 6,
        ..setting.clone()
    };
    refused(no_class.attribute("random", &x, &ParamValues::new()), &["class 6"]);
    refused(no_class.evaluate("road", &x, &map, &ParamValues::new()), &["class 6"]);
    let bad_imputer = Setting {
        removal: removal("gaussian-blur", values([number("sigma", -1.0)])),
        ..setting
    };
    for id in ["occlusion", "rise", "score-cam"] {
        refused(bad_imputer.attribute(id, &x, &ParamValues::new()), &["sigma"]);
    }
    for id in ["insertion", "deletion", "road", "faithfulness-correlation"] {
        refused(bad_imputer.evaluate(id, &x, &map, &ParamValues::new()), &["sigma"]);
    }
    assert_eq!(exec.pictures.get(), 0);
}

#[test]
fn grad_cam_needs_a_feature_map() {
    let transformer = net("tiny-vit", [3, 32, 32]);
    let layers = transformer.model().network().layers();
    let attention = layers
        .iter()
        .find(|l| l.attention)
        .expect("a transformer has attention");
    let params = values([text("layer", &attention.name)]);
    let x = Input::preprocessed(Tensor::zeros(&[3, 32, 32]));
    refused(
        Setting::new(&transformer).attribute("grad-cam", &x, &params),
        &["layer", &attention.name, "feature map"],
    );
    // Where there is no feature map there is no default either.
    let flat = dense([1, 2, 3], &[(vec![vec![1.0; 6]; 2], vec![0.0; 2])]);
    let x = Input::preprocessed(Tensor::zeros(&[1, 2, 3]));
    refused(
        Setting::new(&flat).attribute("grad-cam", &x, &ParamValues::new()),
        &["no layer"],
    );
}

#[test]
fn rollout_needs_attention() {
    for id in ["attention-rollout", "gradient-attention-rollout"] {
        refused(
            Setting::new(&small()).attribute(id, &picture(), &ParamValues::new()),
            &["network", "no attention", "transformer"],
        );
    }
}

#[test]
fn rollout_through_windows_or_pooled_tokens_is_refused_before_any_pass() {
    for name in ["windowed-vit", "pooled-vit"] {
        let inner = net(name, [3, 32, 32]);
        let exec = Counting::new(&inner, 4);
        let x = Input::preprocessed(Tensor::from_fn(&[3, 32, 32], |i| (i % 7) as f32 - 3.0));
        for id in ["attention-rollout", "gradient-attention-rollout"] {
            let error = Setting::new(&exec).attribute(id, &x, &ParamValues::new()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "parameter network: \"Test\" can't be followed by its attention: some of its attention is within windows \
                 or pools tokens; a transformer whose layers all mix the same tokens is needed",
                "{name}, {id}"
            );
        }
        assert_eq!(exec.pictures.get(), 0, "{name}");
        // What does not follow attention is not refused.
        assert!(
            Setting::new(&inner)
                .map("gradient", &x, &ParamValues::new())
                .is_finite()
        );
    }
}

#[test]
fn controls_that_run_a_method_refuse_what_is_none() {
    for id in ["blurred", "randomised-network"] {
        for of in ["blurred", "randomised-network", "nonsense", ""] {
            refused(
                Setting::new(&small()).attribute(id, &picture(), &values([text("of", of)])),
                &["of", "gradient"],
            );
        }
    }
}

#[test]
fn rise_refuses_imputers_that_need_kept_pixels() {
    let inner = small();
    let exec = Counting::new(&inner, 4);
    let setting = Setting {
        removal: removal("noisy-linear", ParamValues::new()),
        ..Setting::new(&exec)
    };
    refused(
        setting.attribute("rise", &picture(), &ParamValues::new()),
        &["noisy-linear", "no pixel is kept"],
    );
    refused(
        setting.attribute("score-cam", &picture(), &ParamValues::new()),
        &["noisy-linear", "no pixel is kept"],
    );
    assert_eq!(exec.pictures.get(), 0);
}

#[test]
fn curves_of_imputers_that_need_kept_pixels_stop_short_of_nothing() {
    let exec = small();
    let setting = Setting {
        removal: removal("noisy-linear", ParamValues::new()),
        ..Setting::new(&exec)
    };
    let (x, steps) = (picture(), values([number("steps", 4.0)]));
    let map = setting.map("input-magnitude", &x, &ParamValues::new());
    let deletion = setting.evaluate("deletion", &x, &map, &steps).unwrap();
    assert_eq!(deletion.curves[0].x, [0.0, 0.25, 0.5, 0.75]);
    let insertion = setting.evaluate("insertion", &x, &map, &steps).unwrap();
    assert_eq!(insertion.curves[0].x, [0.25, 0.5, 0.75, 1.0]);
    assert_eq!(deletion.score, Score::Value(deletion.curves[0].auc()));
    // A single step leaves a single point, which has no area.
    let one = setting
        .evaluate("deletion", &x, &map, &values([number("steps", 1.0)]))
        .unwrap();
    assert!(matches!(one.score, Score::Undefined(_)), "{:?}", one.score);
}

#[test]
fn maps_that_can_not_be_scored_are_refused() {
    let x = picture();
    for shape in [vec![3, 30, 31], vec![2, 30, 30], vec![30, 30], vec![1, 0, 3]] {
        let error = Evidence::new(&x, &Tensor::zeros(&shape), None).err().expect("refused");
        assert!(matches!(error, InputError::Shape { .. }), "{shape:?}");
    }
    for value in [f32::NAN, f32::INFINITY] {
        let mut map = Tensor::zeros(&[3, 30, 30]);
        map.data_mut()[77] = value;
        let error = Evidence::new(&x, &map, None).err().expect("refused");
        assert!(matches!(error, InputError::NotFinite { .. }));
    }
}

#[test]
fn pictures_that_do_not_fit_are_refused() {
    let exec = small();
    let setting = Setting::new(&exec);
    let other = Input::preprocessed(Tensor::zeros(&[3, 30, 29]));
    let mut holed = picture();
    holed.tensor.data_mut()[5] = f32::NAN;
    let elsewhere = |m: &&&dyn lucarne::attribution::DynMethod| !m.meta().needs(lucarne::attribution::Need::Attention);
    for method in lucarne::attribution::METHODS.iter().filter(elsewhere) {
        let id = method.meta().id;
        refused(setting.attribute(id, &other, &ParamValues::new()), &["[3, 30, 29]"]);
        refused(setting.attribute(id, &holed, &ParamValues::new()), &["finite"]);
    }
    for metric in lucarne::metric::METRICS {
        let id = metric.meta().id;
        let map = Tensor::zeros(&[1, 5, 5]);
        refused(
            setting.evaluate(id, &other, &map, &ParamValues::new()),
            &["[3, 30, 29]"],
        );
        refused(setting.evaluate(id, &holed, &map, &ParamValues::new()), &["finite"]);
    }
}

#[test]
fn a_constant_map_is_neutral_in_rankings_and_undefined_in_correlations() {
    let exec = small();
    let (x, setting) = (picture(), Setting::new(&exec));
    let flat = setting.map("constant", &x, &ParamValues::new());
    let found = setting
        .evaluate("faithfulness-correlation", &x, &flat, &ParamValues::new())
        .unwrap();
    assert!(
        matches!(found.score, Score::Undefined(ref why) if why.contains("same relevance")),
        "{found:?}"
    );
    let noisy = Setting {
        removal: removal("noisy-linear", ParamValues::new()),
        ..setting.clone()
    };
    for (setting, id) in [(&setting, "insertion"), (&setting, "deletion"), (&noisy, "road")] {
        let found = setting.evaluate(id, &x, &flat, &ParamValues::new()).unwrap();
        assert!(
            matches!(found.score, Score::Value(v) if v.is_finite()),
            "{id}: {found:?}"
        );
    }
    // In reading order the first step would take the top rows; ties fall at random instead.
    let other = Setting {
        seed: 2,
        ..setting.clone()
    };
    let curve = |s: &Setting<'_>| s.evaluate("deletion", &x, &flat, &ParamValues::new()).unwrap().curves;
    assert_ne!(curve(&setting), curve(&other));
}

#[test]
fn an_answer_that_never_falls_leaves_the_correlation_undefined() {
    let exec = dense([1, 6, 6], &[(vec![vec![0.0; 36]; 2], vec![0.3, 0.1])]);
    let x = Input::preprocessed(Tensor::from_fn(&[1, 6, 6], |i| i as f32));
    let map = Tensor::from_fn(&[1, 6, 6], |i| (i * i) as f32);
    let params = values([number("subset_size", 5.0)]);
    let found = Setting::new(&exec)
        .evaluate("faithfulness-correlation", &x, &map, &params)
        .unwrap();
    assert!(
        matches!(found.score, Score::Undefined(ref why) if why.contains("falls equally")),
        "{found:?}"
    );
}
