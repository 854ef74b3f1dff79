//! The clock that benchmarks share.

use std::time::{Duration, Instant};

/// Shortest measurement.
const SPAN: Duration = Duration::from_secs(2);
/// Fewest repetitions.
const LEAST: usize = 10;

/// Prints the best and the median time of `run`, where `name` holds `filter`.
pub fn time(name: &str, filter: &str, mut run: impl FnMut()) {
    if !name.contains(filter) {
        return;
    }
    run();
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < SPAN || times.len() < LEAST {
        let one = Instant::now();
        run();
        times.push(one.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!("{name:<40} {:>10.2} {median:>10.2} {:>12.1}", times[0], 1e3 / median);
}
