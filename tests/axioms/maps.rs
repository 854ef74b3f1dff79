//! Localisation, complexity and agreement on maps whose score is known by hand.

use lucarne::metric::{Category, Exhibit, METRICS, Score};
use lucarne::params::ParamValues;
use lucarne::{Mask, Tensor};

use crate::harness::{Around, Setting, dense, number, text, values};
use crate::judgement::{DIMS, close, draws, flag, input, linear, none, refusal, why};

fn mask(bits: &[u8]) -> Mask {
    Mask::new(4, 5, bits.iter().map(|&b| b == 1).collect())
}

/// The map 19, 18, … 0 in reading order, with the second half negative, and a mask of five pixels.
fn ramp() -> (Tensor, Mask) {
    let map = Tensor::from_fn(&DIMS, |i| if i < 10 { 19.0 - i as f32 } else { i as f32 - 19.0 });
    let truth = mask(&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    (map, truth)
}

#[test]
fn localisation_by_hand() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let (map, truth) = ramp();
    let setting = Setting {
        around: Around {
            truth: Some(&truth),
            ..Around::default()
        },
        ..Setting::new(&exec)
    };
    let score = |id: &str, params: ParamValues| setting.score(id, &x, &map, &params);
    // Magnitudes are 19 … 10, then 9 … 0; the mask holds 18, 17, 14, then 9 and 0 (which is no relevance at all).
    close(score("pointing-game", none()), 0.0);
    close(score("pointing-game", values([number("tolerance", 1.0)])), 1.0);
    close(score("attribution-localisation", none()), 58.0 / 190.0);
    close(
        score("attribution-localisation", values([flag("weighted")])),
        4.0 * 58.0 / 190.0,
    );
    close(
        score("attribution-localisation", values([text("sign", "positive")])),
        49.0 / 145.0,
    );
    close(score("relevance-mass-accuracy", none()), 49.0 / 145.0);
    close(
        score("relevance-mass-accuracy", values([text("sign", "signed")])),
        40.0 / 100.0,
    );
    close(score("top-k-intersection", values([number("k", 3.0)])), 2.0 / 3.0);
    close(
        score(
            "top-k-intersection",
            values([number("k", 10.0), flag("concept_influence")]),
        ),
        0.3 * 4.0,
    );
    close(score("relevance-rank-accuracy", none()), 2.0 / 5.0);
    close(score("relevance-rank-accuracy", values([flag("absolute")])), 2.0 / 5.0);
    close(score("xai-tris-precision", none()), 2.0 / 5.0);
    // Of 5 × 15 pairs, 14, 14 and 11 (behind 19, then 16 and 15) are in order for the first three; the ninth lies behind
    // all others but those below zero, and below zero the smallest magnitude is the largest value.
    let order = |absolute: bool| {
        let value = |i: usize| if absolute { map.data()[i].abs() } else { map.data()[i] };
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..20).filter(|&i| truth.bits()[i]) {
            for j in (0..20).filter(|&j| !truth.bits()[j]) {
                won += match value(i).total_cmp(&value(j)) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
                pairs += 1.0;
            }
        }
        won / pairs
    };
    close(score("localisation-auc", none()), order(false));
    close(score("localisation-auc", values([flag("absolute")])), order(true));
    let too_large = values([number("max_share", 0.2)]);
    assert!(why(setting.evaluate("attribution-localisation", &x, &map, &too_large)).contains("larger"));
    let too_many = values([number("k", 21.0)]);
    assert!(refusal(setting.evaluate("top-k-intersection", &x, &map, &too_many)).contains("between 1 and 20"));
}

#[test]
fn moving_relevance_costs_its_distance() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let diagonal = 41f64.sqrt();
    let score = |truth: &Mask, map: &[f32], params: ParamValues| {
        let around = Around {
            truth: Some(truth),
            ..Around::default()
        };
        let setting = Setting {
            around,
            ..Setting::new(&exec)
        };
        setting.score("xai-tris-emd", &x, &Tensor::new(&DIMS, map.to_vec()), &params)
    };
    let corner = mask(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut far = vec![0.0; 20];
    far[19] = -3.0;
    close(score(&corner, &far, none()), 1.0 - 5.0 / diagonal);
    far[0] = 3.0;
    close(score(&corner, &far, none()), 1.0 - 2.5 / diagonal);
    let pair = mask(&[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut middle = vec![0.0; 20];
    middle[2] = 1.0;
    close(score(&pair, &middle, none()), 1.0 - 2.0 / diagonal);
    // Blocks of 3 × 3 put the corner at (1, 1) and the far pixel's block, cut to one row and two columns, at (3, 3.5).
    let mut far = vec![0.0; 20];
    far[19] = 1.0;
    let blocks = values([number("side", 2.0)]);
    close(score(&corner, &far, blocks), 1.0 - 2f64.hypot(2.5) / diagonal);
}

/// A network that only looks at planted pixels is explained by exactly those.
#[test]
fn planted_pixels_are_found() {
    let truth = mask(&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let weights: Vec<f32> = truth.bits().iter().map(|&b| f32::from(u8::from(b))).collect();
    let exec = dense(DIMS, &linear(vec![weights, vec![0.0; 20]]));
    let x = input(DIMS, vec![0.5; 20]);
    let setting = Setting {
        around: Around {
            truth: Some(&truth),
            ..Around::method("input-x-gradient")
        },
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let k = values([number("k", 5.0)]);
    for metric in METRICS {
        let id = metric.meta().id;
        if metric.meta().category == Category::Localisation && id != "focus" {
            let params = if id == "top-k-intersection" { &k } else { &none() };
            close(setting.score(id, &x, &map, params), 1.0);
        }
    }
    let patch = values([number("patch", 1.0)]);
    close(setting.score("non-sensitivity", &x, &map, &patch), 0.0);
    // Told the wrong way round, every pixel is misjudged.
    let wrong = map.map(|v| 0.5 - v);
    close(setting.score("non-sensitivity", &x, &wrong, &patch), 1.0);
}

#[test]
fn random_maps_find_things_at_chance_and_scaling_changes_nothing() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let truth = mask(&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let other = Tensor::new(&DIMS, draws(77, 20));
    let setting = Setting {
        around: Around {
            truth: Some(&truth),
            other: Some(&other),
            ..Around::default()
        },
        ..Setting::new(&exec)
    };
    let chance = [
        ("pointing-game", 0.25),
        ("relevance-rank-accuracy", 0.25),
        ("relevance-mass-accuracy", 0.25),
        ("attribution-localisation", 0.25),
        ("xai-tris-precision", 0.25),
        ("localisation-auc", 0.5),
    ];
    for (id, expected) in chance {
        let scores: Vec<f64> = (0..300)
            .map(|k| setting.score(id, &x, &Tensor::new(&DIMS, draws(1000 + k, 20)), &none()))
            .collect();
        let mean = scores.iter().sum::<f64>() / 300.0;
        let deviation = (scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 299.0).sqrt();
        assert!(
            (mean - expected).abs() < 4.0 * deviation / 300f64.sqrt(),
            "{id}: {mean} ± {deviation}"
        );
    }
    let map = Tensor::new(&DIMS, draws(5, 20));
    let k = values([number("k", 6.0)]);
    for metric in METRICS {
        let meta = metric.meta();
        if matches!(
            meta.category,
            Category::Localisation | Category::Complexity | Category::Agreement
        ) && meta.id != "focus"
        {
            let params = if meta.id == "top-k-intersection" { &k } else { &none() };
            let of = |map: &Tensor| setting.evaluate(meta.id, &x, map, params).unwrap().score;
            assert_eq!(of(&map), of(&map.map(|v| 4.0 * v)), "{}", meta.id);
            // Only the ranking matters to some; halving what is negative keeps it.
            if [
                "pointing-game",
                "relevance-rank-accuracy",
                "localisation-auc",
                "top-k-intersection",
            ]
            .contains(&meta.id)
            {
                assert_eq!(
                    of(&map),
                    of(&map.map(|v| if v < 0.0 { v / 2.0 } else { v })),
                    "{}",
                    meta.id
                );
            }
        }
    }
}

#[test]
fn mosaics_by_hand() {
    // The map is the mosaic itself: pictures of 3 for the class, of 1 for the others.
    let exec = dense([1, 4, 4], &linear(vec![vec![1.0; 16], vec![0.5; 16], vec![-1.0; 16]]));
    let exhibit = |value: f32, class: usize| Exhibit {
        input: input([1, 4, 4], vec![value; 16]),
        class,
    };
    let set = [exhibit(3.5, 0), exhibit(1.0, 1), exhibit(1.0, 2), exhibit(1.0, 1)];
    let x = input([1, 4, 4], vec![2.5; 16]);
    let with = |set: &[Exhibit], class: usize| {
        let setting = Setting {
            around: Around {
                set,
                ..Around::method("input-x-gradient")
            },
            class,
            ..Setting::new(&exec)
        };
        let map = setting.map("input-x-gradient", &x, &none());
        setting.evaluate("focus", &x, &map, &none())
    };
    assert!(matches!(with(&set, 0).unwrap().score, Score::Value(v) if (v - 0.75).abs() < 1e-6));
    // Every map of class 2 is negative.
    let others = [exhibit(3.0, 2), exhibit(1.0, 1), exhibit(1.0, 0)];
    assert!(why(with(&others, 2)).contains("positive"));
    assert!(why(with(&set[1..], 0)).contains("another picture"));
    assert!(why(with(&set[..2], 0)).contains("two of others"));
    assert!(why(with(&[], 0)).contains("no other pictures"));
    let wrong = [Exhibit {
        input: input([1, 4, 3], vec![0.0; 12]),
        class: 0,
    }];
    assert!(refusal(with(&wrong, 0)).contains("[1, 4, 3]"));
}

#[test]
fn complexity_by_hand() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let setting = Setting::new(&exec);
    let score = |id: &str, map: &Tensor| setting.score(id, &x, map, &none());
    let mut one = Tensor::zeros(&DIMS);
    one.data_mut()[7] = -2.0;
    let flat = Tensor::full(&DIMS, 0.3);
    for (id, single, even) in [
        ("sparseness", 0.95, 0.0),
        ("complexity", 0.0, 20f64.ln()),
        ("effective-complexity", 1.0, 20.0),
    ] {
        close(score(id, &one), single);
        close(score(id, &flat), even);
    }
    // Two of four: Gini 1/2 over the two, entropy ln 2.
    let half = Tensor::from_fn(&DIMS, |i| f32::from(u8::from(i % 2 == 0)));
    close(score("sparseness", &half), 0.5);
    close(score("complexity", &half), 10f64.ln());
    // A square of four pixels: hull 1, tree 3.
    let mut square = Tensor::zeros(&DIMS);
    for i in [6, 7, 11, 12] {
        square.data_mut()[i] = 1.0;
    }
    close(score("mst-compactness", &square), 100.0 * 41f64.sqrt() * 4.0 / 3.0);
    // Four in a row have no hull: the diagonal stands for its side.
    let mut row = Tensor::zeros(&DIMS);
    for i in 5..9 {
        row.data_mut()[i] = 1.0;
    }
    close(score("mst-compactness", &row), 100.0 * 4.0 / 3.0);
    // The same square torn apart is less compact.
    let mut torn = Tensor::zeros(&DIMS);
    for i in [0, 4, 15, 19] {
        torn.data_mut()[i] = 1.0;
    }
    close(
        score("mst-compactness", &torn),
        100.0 * (41.0f64 / 12.0).sqrt() * 4.0 / 10.0,
    );
    let few = values([number("percentile", 99.0)]);
    let peak = Tensor::from_fn(&DIMS, |i| i as f32);
    assert!(why(setting.evaluate("mst-compactness", &x, &peak, &few)).contains("fewer than two"));
}

#[test]
fn agreement_by_hand() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let pad = |top: [f32; 5]| {
        let mut map = Tensor::from_fn(&DIMS, |i| 0.01 * i as f32);
        map.data_mut()[..5].copy_from_slice(&top);
        map
    };
    let (a, b) = (pad([5.0, -4.0, 3.0, 2.0, 0.5]), pad([5.0, 4.0, 2.0, 0.5, 3.0]));
    let score = |id: &str, other: &Tensor| {
        let setting = Setting {
            around: Around {
                other: Some(other),
                ..Around::default()
            },
            ..Setting::new(&exec)
        };
        setting.score(id, &x, &a, &values([number("share", 0.2)]))
    };
    // The top four are 0, 1, 2, 3 and 0, 1, 4, 2: three in common, two of them at the same rank, one of other sign.
    close(score("feature-agreement", &b), 3.0 / 4.0);
    close(score("rank-agreement", &b), 2.0 / 4.0);
    close(score("sign-agreement", &b), 2.0 / 4.0);
    close(score("signed-rank-agreement", &b), 1.0 / 4.0);
    for id in [
        "feature-agreement",
        "rank-agreement",
        "sign-agreement",
        "signed-rank-agreement",
    ] {
        close(score(id, &a), 1.0);
    }
}
