//! The methods that weigh a layer's channels, those that follow attention, and the controls: cases with a known answer.

use lucarne::attribution::blurred::blur;
use lucarne::exec::{Cpu, Executor};
use lucarne::params::ParamValues;
use lucarne::program::Program;
use lucarne::{Input, Tensor};

use crate::harness::{Setting, net, number, picture, relative_error, small, text, values};

fn none() -> ParamValues {
    ParamValues::new()
}

/// The index of a layer.
fn index(exec: &Cpu, name: &str) -> usize {
    let layers = exec.model().network().layers();
    layers.iter().position(|l| l.name == name).unwrap_or_else(|| {
        panic!(
            "{name} is no layer of {:?}",
            layers.iter().map(|l| &l.name).collect::<Vec<_>>()
        )
    })
}

/// The name of the default layer.
fn default(exec: &Cpu) -> &str {
    let network = exec.model().network();
    &network.layers()[network.default_layer().expect("it has a default layer")].name
}

/// A network that ends in global average pooling and a linear layer: its last maps `[K, places]`, and what one unit of the
/// mean of each does to the logit of `class`, found by putting maps of ones in the layer's place.
fn linear_head(exec: &Cpu, x: &Input, class: usize) -> (Vec<Vec<f64>>, Vec<f64>, f64) {
    let layer = index(exec, default(exec));
    let shape = exec.model().network().layers()[layer].shape.clone();
    let picture = Tensor::stack(std::slice::from_ref(&x.tensor));
    let outputs = exec
        .run_now(&Program::forward(&[layer]), std::slice::from_ref(&picture))
        .expect("the program runs");
    let places = shape[1] * shape[2];
    let maps = outputs[1]
        .data()
        .chunks(places)
        .map(|m| m.iter().map(|&v| f64::from(v)).collect())
        .collect();
    let program = Program {
        replaced: Some(layer),
        ..Program::default()
    };
    let logit = |given: Tensor| {
        let batched = Tensor::stack(std::slice::from_ref(&given));
        f64::from(
            exec.run_now(&program, &[picture.clone(), batched])
                .expect("the program runs")[0]
                .data()[class],
        )
    };
    let nothing = logit(Tensor::zeros(&shape));
    let weights = (0..shape[0])
        .map(|k| logit(Tensor::from_fn(&shape, |i| f32::from(u8::from(i / places == k)))) - nothing)
        .collect();
    (maps, weights, f64::from(outputs[0].data()[class]))
}

#[test]
fn with_a_linear_head_the_gradient_cams_are_cam_itself() {
    let exec = small();
    let x = picture();
    for class in 0..exec.model().classes() {
        let (maps, weights, answer) = linear_head(&exec, &x, class);
        let places = maps[0].len();
        let sum = |f: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            (0..places)
                .map(|i| (0..maps.len()).map(|k| f(k, maps[k][i])).sum::<f64>().max(0.0))
                .collect()
        };
        let share = |k: usize| weights[k] / places as f64;
        let cam = sum(&|k, a| share(k) * a);
        let supporting = sum(&|k, a| share(k).max(0.0) * a);
        let ablated = sum(&|k, a| weights[k] * maps[k].iter().sum::<f64>() / places as f64 / answer * a);
        let setting = Setting {
            class,
            ..Setting::new(&exec)
        };
        let mut cases: Vec<(&str, &[f64], f64)> = vec![
            ("hires-cam", &cam, 1e-5),
            ("grad-cam", &cam, 1e-5),
            ("x-grad-cam", &cam, 1e-5),
            ("layer-cam", &supporting, 1e-5),
            ("grad-cam-elementwise", &supporting, 1e-5),
        ];
        // A difference of two logits: single precision leaves a few digits less.
        cases.push(("ablation-cam", &ablated, 1e-3));
        for (id, expected, tolerance) in cases {
            let found = setting.map(id, &x, &none());
            if expected.iter().any(|&v| v > 0.0) {
                let error = relative_error(found.data(), expected);
                assert!(error < tolerance, "{id}, class {class}: {error}");
            } else {
                assert!(found.data().iter().all(|v| v.abs() < 1e-6), "{id}, class {class}");
            }
        }
    }
}

#[test]
fn the_maps_that_do_not_know_the_class_are_the_same_for_all() {
    let exec = small();
    let x = picture();
    let of = |id: &str, class| {
        let setting = Setting {
            class,
            ..Setting::new(&exec)
        };
        setting.map(id, &x, &none())
    };
    for id in ["eigen-cam", "kpca-cam", "fem"] {
        assert_eq!(of(id, 0), of(id, 3), "{id}");
    }
    for id in ["grad-cam", "eigen-grad-cam", "score-cam", "ablation-cam"] {
        assert_ne!(of(id, 0), of(id, 3), "{id}");
    }
}

#[test]
fn the_default_layer_is_the_last_map_or_the_last_tokens_that_attention_reads() {
    for (name, dims, expected) in [
        ("plain", [1, 28, 28], "/5/MaxPool"),
        ("residual", [3, 33, 33], "/2/Relu"),
        ("conv-gelu-ln", [3, 32, 32], "/6/Add"),
        ("tiny-vit", [3, 32, 32], "/blocks/blocks.1/norm1/LayerNormalization"),
    ] {
        assert_eq!(default(&net(name, dims)), expected, "{name}");
    }
}

#[test]
fn the_outline_says_what_each_layer_reads_and_how_it_lies() {
    let residual = net("residual", [3, 33, 33]);
    let layers = residual.model().network().layers();
    let add = &layers[index(&residual, "/1/Add")];
    let read: Vec<&str> = add.reads.iter().map(|&i| layers[i].name.as_str()).collect();
    assert_eq!(read, ["/0/0.2/Relu", "/1/b/b.1/BatchNormalization"]);
    assert!(layers[0].reads.is_empty(), "the first layer reads the picture");
    for (i, layer) in layers.iter().enumerate() {
        assert!(layer.reads.iter().all(|&r| r < i), "{}", layer.name);
    }

    let convnext = net("conv-gelu-ln", [3, 32, 32]);
    let layers = convnext.model().network().layers();
    let size = |name: &str| {
        let layer = &layers[index(&convnext, name)];
        let grid = layer.grid.expect("it lies on the picture");
        (layer.shape.clone(), [grid.channels, grid.height, grid.width])
    };
    assert_eq!(size("/2/Add"), (vec![16, 8, 8], [16, 8, 8]));
    assert_eq!(
        size("/3/norm/LayerNormalization"),
        (vec![8, 8, 16], [16, 8, 8]),
        "channels last"
    );

    let vit = net("tiny-vit", [3, 32, 32]);
    let network = vit.model().network();
    let attention = network.attention().expect("it has attention");
    assert_eq!(
        (attention.layers.len(), attention.tokens, attention.grid.skip()),
        (2, 17, 1)
    );
    let patches = network.layers()[index(&vit, "/blocks/blocks.0/Add_1")]
        .grid
        .expect("tokens");
    assert_eq!((patches.channels, patches.height, patches.width), (32, 4, 4));
    assert!(network.layers()[attention.layers[0]].grid.is_none());
    for layer in network
        .layers()
        .iter()
        .filter(|l| l.shape.len() == 3 && l.shape[1] == 17)
    {
        assert!(
            layer.grid.is_none(),
            "heads are no maps: {} {:?}",
            layer.name,
            layer.shape
        );
    }
    assert!(network.layers().iter().all(|l| l.op != "Softmax" || l.attention));
}

/// After the last attention only the class token reaches the answer: the patches there explain nothing, while those of
/// the default layer do.
#[test]
fn tokens_beyond_the_last_attention_have_no_gradient() {
    let exec = net("tiny-vit", [3, 32, 32]);
    let x = Input::preprocessed(Tensor::from_fn(&[3, 32, 32], |i| (i as f32 * 0.37).sin()));
    let of = |layer: &str| {
        let setting = Setting::new(&exec);
        setting.map("hires-cam", &x, &values([text("layer", layer)]))
    };
    assert!(
        of("/blocks/blocks.1/Add_1")
            .data()
            .iter()
            .all(|v| v.to_bits() << 1 == 0)
    );
    assert!(of("").data().iter().any(|&v| v > 0.0));
}

/// Rows of attention sum to 1, and so do those of their product: the patches and the class token share 1 out.
#[test]
fn rollout_shares_one_out() {
    let exec = net("tiny-vit", [3, 32, 32]);
    let x = Input::preprocessed(Tensor::from_fn(&[3, 32, 32], |i| (i as f32 * 0.37).sin()));
    let map = Setting::new(&exec).map("attention-rollout", &x, &none());
    assert_eq!(map.shape(), [1, 4, 4]);
    // The residual connections alone keep a quarter with the class token.
    assert!(
        map.data().iter().all(|&v| v > 0.0) && map.sum() <= 0.75,
        "{}",
        map.sum()
    );
    let of = |class| {
        let setting = Setting {
            class,
            ..Setting::new(&exec)
        };
        [
            setting.map("attention-rollout", &x, &none()),
            setting.map("gradient-attention-rollout", &x, &none()),
        ]
    };
    let ([same, one], [again, other]) = (of(0), of(1));
    assert_eq!(same, again, "rollout does not know the class");
    assert_ne!(one, other, "gradients do");
}

#[test]
fn a_blurred_copy_is_the_blur_of_the_map() {
    let exec = small();
    let x = picture();
    let setting = Setting::new(&exec);
    for of in ["sobel", "gradient", "grad-cam"] {
        let params = values([text("of", of), number("sigma", 3.0)]);
        let (copy, map) = (
            setting.attribute("blurred", &x, &params).unwrap(),
            setting.attribute(of, &x, &none()).unwrap(),
        );
        assert_eq!(copy.map, blur(&map.map, [30, 30], 3.0), "{of}");
        assert_eq!(copy.space, map.space, "{of}");
        assert_ne!(copy.map, map.map, "{of}");
        // Mirrored borders lose nothing.
        assert!(
            (copy.map.sum() - map.map.sum()).abs()
                < 1e-3 * map.map.data().iter().map(|v| f64::from(v.abs())).sum::<f64>()
        );
    }
}

#[test]
fn a_randomised_network_explains_something_else() {
    let exec = small();
    let x = picture();
    let setting = Setting::new(&exec);
    for of in ["gradient", "grad-cam", "occlusion"] {
        let map = setting.map(of, &x, &none());
        let share = |share: f64| values([text("of", of), number("redrawn", share)]);
        assert_eq!(
            setting.map("randomised-network", &x, &share(0.0)),
            map,
            "{of}: nothing is drawn"
        );
        let drawn = setting.map("randomised-network", &x, &share(1.0));
        assert_ne!(drawn, map, "{of}");
        assert_eq!(drawn.shape(), map.shape(), "{of}");
        let head = setting.map("randomised-network", &x, &share(0.01));
        assert!(head != map && head != drawn, "{of}: only the head is drawn");
    }
}

/// What the trained network says of a picture correlates with what it says again, and not with random networks' maps.
#[test]
fn maps_of_random_networks_do_not_agree_with_the_trained_one() {
    let exec = small();
    let x = picture();
    let map = Setting::new(&exec).map("gradient", &x, &none());
    let mean: f64 = (0..40)
        .map(|seed| {
            let setting = Setting {
                seed,
                ..Setting::new(&exec)
            };
            cosine(&map, &setting.map("randomised-network", &x, &none()))
        })
        .sum::<f64>()
        / 40.0;
    assert!(mean.abs() < 0.1, "{mean}");
}

fn cosine(a: &Tensor, b: &Tensor) -> f64 {
    let dot = |a: &Tensor, b: &Tensor| a.zip(b, |a, b| a * b).sum();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
