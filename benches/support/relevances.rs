//! Relevances by which pixels are deleted, as in www/src/bench/jobs.ts.

/// Steps of a deletion.
pub const STEPS: usize = 48;

/// Relevances whose order is one disc that grows, or scattered; as in the browser.
pub fn relevances(job: &str, side: usize) -> Vec<f32> {
    let size = side * side;
    if job == "deletion-scattered" {
        let places = size.next_power_of_two();
        return (0..size)
            .map(|k| ((k * 40503 + 17) % places) as f32 / places as f32)
            .collect();
    }
    let whole = side as f64;
    let far = |k: usize| {
        let (y, x) = ((k / side) as f64, (k % side) as f64);
        (y - whole * 0.45).powi(2) + (x - whole * 0.55).powi(2)
    };
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.cmp(&b)));
    let mut map = vec![0.0; size];
    for (rank, k) in order.into_iter().enumerate() {
        map[k] = 1.0 - rank as f32 / size as f32;
    }
    map
}
