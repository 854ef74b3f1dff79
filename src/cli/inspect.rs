//! A look into an ONNX file.

use std::fmt::Write;

use lucarne::Model;
use lucarne::model::Limits;
use lucarne::protocol::{Inspected, LayerInfo};
use lucarne::session;
use serde::Serialize;

use super::arguments::Inspect;
use super::failure::Failure;
use super::models::inspected;
use super::output::{print, print_json};
use super::pictures::read;

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    inspected: Inspected,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<LayerInfo>>,
}

/// `inspect`: prints a card as TOML with everything else in comments, so that it can be saved, edited and used.
pub fn run(arguments: &Inspect, json: bool) -> Result<(), Failure> {
    let limits = Limits::default();
    let onnx = read(&arguments.file, limits.model_bytes)?;
    let inspected = inspected(&arguments.file, &onnx, &limits)?;
    let layers = arguments
        .layers
        .then(|| {
            let model = Model::load(&onnx, inspected.card.clone(), Vec::new(), &limits)
                .map_err(|e| Failure::about(&arguments.file, e))?;
            Ok::<_, Failure>(session::describe(&model).layers)
        })
        .transpose()?;
    if json {
        return print_json(&Report { inspected, layers });
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# {}: opset {}, {} nodes",
        arguments.file.display(),
        inspected.opset,
        inspected.nodes
    );
    for input in &inspected.inputs {
        let _ = writeln!(text, "# input {input}");
    }
    for output in &inspected.outputs {
        let _ = writeln!(text, "# output {output}");
    }
    for reason in &inspected.reasons {
        let _ = writeln!(text, "# {reason}");
    }
    for LayerInfo { name, op, shape, .. } in layers.iter().flatten() {
        let _ = writeln!(text, "# layer {name} ({op}) {shape:?}");
    }
    let card = toml::to_string(&inspected.card)
        .map_err(|e| Failure::new(format!("the card can't be written as TOML: {e}"), ""))?;
    print(&format!("{text}\n{card}"));
    Ok(())
}
