//! Figures as SVG: the same bytes for the same numbers. Text and axes take the colour of the page that shows them.

use std::fmt::Write;

use super::report::Language;
use super::sample::Estimate;

/// Colours that people with every common colour vision tell apart (Okabe and Ito), none of them near black or white.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f",
];
const DASHES: [&str; 3] = ["", "6 3", "2 3"];
const WIDTH: f64 = 720.0;

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn open(out: &mut String, height: f64, title: &str) {
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"currentColor\" stroke-linecap=\"round\">",
        escaped(title)
    );
    let _ = writeln!(out, "<title>{}</title>", escaped(title));
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
        escaped(words)
    );
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>"
    );
}

/// Round numbers from at most `low` to at least `high`.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = (high - low).max(1e-9);
    let rough = span / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|k| k * power)
        .find(|s| *s >= rough)
        .unwrap_or(power);
    let (from, to) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    (from..=to.max(from + 1)).map(|k| k as f64 * step).collect()
}

fn label(language: Language, tick: f64, ticks: &[f64]) -> String {
    let step = ticks.get(1).map_or(1.0, |t| t - ticks[0]);
    let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    language.decimal(&super::table::number(tick, digits))
}

/// A dot with its interval for each name, best read from top to bottom; a vertical line at each of `marks`, with words.
pub fn dots(
    language: Language,
    title: &str,
    axis: &str,
    values: &[(String, Estimate)],
    marks: &[(f64, &str)],
) -> String {
    const ROW: f64 = 22.0;
    const LEFT: f64 = 190.0;
    let bounds = values
        .iter()
        .flat_map(|(_, e)| [e.low, e.high, e.value])
        .chain(marks.iter().map(|m| m.0))
        .chain([0.0]);
    let (low, high) = bounds.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let ticks = ticks(low, high);
    let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
    let x = |v: f64| LEFT + (v - low) / (high - low) * (WIDTH - LEFT - 20.0);
    let (top, bottom) = (34.0, 34.0 + ROW * values.len() as f64);
    let mut out = String::new();
    open(&mut out, bottom + 44.0, title);
    for &tick in &ticks {
        line(
            &mut out,
            (x(tick), top),
            (x(tick), bottom),
            "stroke=\"currentColor\" stroke-opacity=\"0.15\"",
        );
        text(
            &mut out,
            x(tick),
            bottom + 16.0,
            "middle",
            &label(language, tick, &ticks),
        );
    }
    line(
        &mut out,
        (x(0.0), top),
        (x(0.0), bottom),
        "stroke=\"currentColor\" stroke-opacity=\"0.6\"",
    );
    for (at, words) in marks {
        line(
            &mut out,
            (x(*at), top - 6.0),
            (x(*at), bottom),
            "stroke=\"#d55e00\" stroke-dasharray=\"4 3\"",
        );
        text(&mut out, x(*at), top - 10.0, "middle", words);
    }
    for (k, (name, e)) in values.iter().enumerate() {
        let y = top + ROW * (k as f64 + 0.5);
        text(&mut out, LEFT - 10.0, y + 4.5, "end", name);
        line(
            &mut out,
            (x(e.low), y),
            (x(e.high), y),
            "stroke=\"#0072b2\" stroke-width=\"2\"",
        );
        let _ = writeln!(
            out,
            "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"#0072b2\"><title>{}: {}</title></circle>",
            x(e.value),
            escaped(name),
            language.estimate(e, 3)
        );
    }
    text(
        &mut out,
        f64::midpoint(LEFT, WIDTH - 20.0),
        bottom + 36.0,
        "middle",
        axis,
    );
    out.push_str("</svg>\n");
    out
}

/// A line for each name through its points, on one pair of axes.
pub fn lines(language: Language, title: &str, axes: [&str; 2], series: &[(String, Vec<(f64, f64)>)]) -> String {
    const HEIGHT: f64 = 340.0;
    const LEFT: f64 = 60.0;
    const RIGHT: f64 = 190.0;
    let points = || {
        series
            .iter()
            .flat_map(|(_, p)| p.iter().copied())
            .filter(|p| p.1.is_finite())
    };
    let (x_low, x_high) = points().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.0), h.max(p.0)));
    let y_high = points().fold(0.0f64, |h, p| h.max(p.1));
    let (x_ticks, y_ticks) = (ticks(x_low, x_high), ticks(0.0, y_high));
    let (x_low, x_high) = (x_ticks[0], x_ticks[x_ticks.len() - 1]);
    let y_high = y_ticks[y_ticks.len() - 1];
    let (top, bottom) = (16.0, HEIGHT - 46.0);
    let x = |v: f64| LEFT + (v - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT);
    let y = |v: f64| bottom - v / y_high * (bottom - top);
    let mut out = String::new();
    let height = HEIGHT.max(40.0 + 18.0 * series.len() as f64);
    open(&mut out, height, title);
    let faint = "stroke=\"currentColor\" stroke-opacity=\"0.15\"";
    for &tick in &y_ticks {
        line(&mut out, (LEFT, y(tick)), (WIDTH - RIGHT, y(tick)), faint);
        text(
            &mut out,
            LEFT - 8.0,
            y(tick) + 4.5,
            "end",
            &label(language, tick, &y_ticks),
        );
    }
    for &tick in &x_ticks {
        line(&mut out, (x(tick), top), (x(tick), bottom), faint);
        text(
            &mut out,
            x(tick),
            bottom + 18.0,
            "middle",
            &label(language, tick, &x_ticks),
        );
    }
    text(
        &mut out,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        bottom + 38.0,
        "middle",
        axes[0],
    );
    let _ = writeln!(
        out,
        "<text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(top, bottom),
        escaped(axes[1])
    );
    for (k, (name, points)) in series.iter().enumerate() {
        let style = format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"",
            COLOURS[k % COLOURS.len()],
            DASHES[k / COLOURS.len() % DASHES.len()]
        );
        let path: Vec<String> = points
            .iter()
            .filter(|p| p.1.is_finite())
            .map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1)))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" {style}><title>{}</title></polyline>",
            path.join(" "),
            escaped(name)
        );
        let at = 24.0 + 18.0 * k as f64;
        line(&mut out, (WIDTH - RIGHT + 14.0, at), (WIDTH - RIGHT + 40.0, at), &style);
        text(&mut out, WIDTH - RIGHT + 46.0, at + 4.5, "start", name);
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        let all = ticks(0.0, 1.0);
        assert_eq!(
            all.iter()
                .map(|t| label(Language::English, *t, &all))
                .collect::<Vec<_>>()
                .join(" "),
            "0 0.2 0.4 0.6 0.8 1"
        );
        let found = ticks(-0.37, 0.91);
        assert!(found[0] <= -0.37 && found[found.len() - 1] >= 0.91);
        assert!(ticks(0.0, 0.0).len() >= 2);
    }

    #[test]
    fn figures_hold_their_names_and_no_number_that_is_none() {
        let e = |value: f64| Estimate {
            value,
            low: value - 0.1,
            high: value + 0.1,
        };
        let svg = dots(
            Language::French,
            "T <1>",
            "axis",
            &[("a&b".into(), e(0.5)), ("c".into(), e(-0.2))],
            &[(0.53, "ROAD")],
        );
        for part in [
            "a&amp;b",
            "T &lt;1&gt;",
            "ROAD",
            "a&amp;b: 0,500 [0,400 ; 0,600]",
            ">0,2<",
            "</svg>",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let drawn = || {
            let series = [("a".into(), vec![(0.0, 0.9), (50.0, f64::NAN), (90.0, 0.1)])];
            lines(Language::English, "T", ["x", "y"], &series)
        };
        let svg = drawn();
        assert!(svg.contains("polyline") && !svg.contains("NaN"));
        assert_eq!(svg, drawn());
    }
}
