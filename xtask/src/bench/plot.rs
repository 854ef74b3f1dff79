//! The plot of how the time grows: three panels, as SVG.

use std::fmt::Write;

use super::results::{Point, Results, median, quantile};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
/// Of a panel, around its axes: left, top, right, bottom.
const MARGIN: [f64; 4] = [56.0, 34.0, 14.0, 42.0];

/// One panel: what of a point is drawn, from its seconds.
struct Panel {
    axis: &'static str,
    title: &'static str,
    below: &'static str,
    value: fn(&Point, f64) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel {
        axis: "masks",
        title: "Seconds",
        below: "masks",
        value: |_, seconds| seconds,
    },
    Panel {
        axis: "side",
        title: "Milliseconds a mask",
        below: "side of the picture, pixels",
        value: |point, seconds| 1e3 * seconds / point.masks as f64,
    },
    Panel {
        axis: "workers",
        title: "Masks a second",
        below: "workers",
        value: |point, seconds| point.masks as f64 / seconds,
    },
];

/// The picture; empty axes are left out.
pub fn scaling(results: &Results) -> String {
    let whole = WIDTH * PANELS.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole:.0} {HEIGHT:.0}\" font-family=\"system-ui, \
         sans-serif\" font-size=\"11\">\n<style>\nsvg {{ color: #1f2328; background: #fff; }}\n@media \
         (prefers-color-scheme: dark) {{ svg {{ color: #e6edf3; background: #0d1117; }} }}\ntext {{ fill: currentColor; \
         }}\n.axis {{ stroke: currentColor; stroke-opacity: 0.35; }}\n.line {{ stroke: #0f7b8a; stroke-width: 2; fill: \
         none; }}\n.range {{ stroke: #0f7b8a; stroke-width: 1.5; }}\n.dot {{ fill: #0f7b8a; }}\n</style>\n"
    );
    for (k, panel) in PANELS.iter().enumerate() {
        let points: Vec<&Point> = results.scaling.iter().filter(|p| p.axis == panel.axis).collect();
        if !points.is_empty() {
            let _ = writeln!(svg, "<g transform=\"translate({:.0} 0)\">", WIDTH * k as f64);
            svg += &draw(panel, &points);
            svg += "</g>\n";
        }
    }
    svg + "</svg>\n"
}

fn draw(panel: &Panel, points: &[&Point]) -> String {
    let [left, top, right, bottom] = MARGIN;
    let most_x = points.iter().map(|p| p.at).max().unwrap_or(1) as f64;
    let values: Vec<[f64; 3]> = points
        .iter()
        .map(|p| {
            // A rate falls where the time rises, so that the quarters must be put in order.
            let of = |q| (panel.value)(p, quantile(&p.seconds, q));
            let (a, b) = (of(0.25), of(0.75));
            [a.min(b), (panel.value)(p, median(&p.seconds)), a.max(b)]
        })
        .collect();
    let step = nice(values.iter().map(|v| v[2]).fold(0.0, f64::max) / 4.0);
    let most_y = step * (values.iter().map(|v| v[2]).fold(0.0, f64::max) / step).ceil().max(1.0);
    let x = |at: f64| left + (WIDTH - left - right) * at / (1.05 * most_x);
    let y = |value: f64| HEIGHT - bottom - (HEIGHT - top - bottom) * value / most_y;
    let mut svg = format!(
        "<text x=\"{left:.0}\" y=\"18\" font-weight=\"600\">{}</text>\n",
        panel.title
    );
    let mut mark = 0.0;
    while mark <= most_y + 1e-9 {
        let at = y(mark);
        let _ = writeln!(
            svg,
            "<line class=\"axis\" x1=\"{left:.1}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.1}\" \
             y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - right,
            left - 6.0,
            at + 4.0,
            number(mark)
        );
        mark += step;
    }
    let mut line = String::new();
    for (point, [low, middle, high]) in points.iter().zip(&values) {
        let at = x(point.at as f64);
        let _ = write!(line, "{at:.1},{:.1} ", y(*middle));
        let _ = writeln!(
            svg,
            "<line class=\"range\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/><circle class=\"dot\" \
             cx=\"{at:.1}\" cy=\"{:.1}\" r=\"3\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y(*low),
            y(*high),
            y(*middle),
            HEIGHT - bottom + 15.0,
            point.at
        );
    }
    let _ = writeln!(svg, "<polyline class=\"line\" points=\"{}\"/>", line.trim_end());
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
        (left + WIDTH - right) / 2.0,
        HEIGHT - 8.0,
        panel.below
    );
    svg
}

/// The next of 1, 2, 5 times a power of ten.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|s| s * power);
    steps.into_iter().find(|s| *s >= value * (1.0 - 1e-9)).unwrap_or(value)
}

/// Without zeros at its end.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers() {
        assert_eq!(
            [0.7, 1.0, 12.0, 0.003].map(|v| number(nice(v))),
            ["1", "1", "20", "0.005"]
        );
    }

    #[test]
    fn every_point_is_drawn_in_its_panel() {
        let point = |axis: &str, at| Point {
            axis: axis.into(),
            at,
            network: "n".into(),
            masks: 64,
            seconds: vec![1.0, 2.0, 4.0],
            memory: 0,
        };
        let results = Results {
            scaling: vec![point("masks", 16), point("masks", 32), point("workers", 2)],
            ..Results::default()
        };
        let svg = scaling(&results);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("<g ").count(), 2);
        assert!(!svg.contains("NaN"));
    }
}
