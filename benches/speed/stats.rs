//! Medians and percentiles.

use std::time::Duration;

/// Returns the median. For an even number of values, this is the lower of the two middle values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median_time(values: impl IntoIterator<Item = Duration>) -> Duration {
    let mut values: Vec<Duration> = values.into_iter().collect();
    percentile(&mut values, 50)
}

/// Returns the smallest value that at least `percent` % of the values do not exceed.
pub(crate) fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied().unwrap_or_default()
}

/// Formats a duration: "950 µs", "12.3 ms", "1.20 s".
pub(crate) fn time(duration: Duration) -> String {
    let microseconds = duration.as_secs_f64() * 1e6;
    match microseconds {
        ..1e3 => format!("{microseconds:.0} µs"),
        1e3..1e5 => format!("{:.1} ms", microseconds / 1e3),
        1e5..1e6 => format!("{:.0} ms", microseconds / 1e3),
        _ => format!("{:.2} s", microseconds / 1e6),
    }
}

/// Formats a rate: "12,300/s", "98.4/s", "1.25/s".
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        1e3.. => {
            let number = per_second.round() as u64;
            format!("{},{:03}/s", number / 1000, number % 1000)
        }
        10.0..1e3 => format!("{per_second:.0}/s"),
        _ => format!("{per_second:.2}/s"),
    }
}
