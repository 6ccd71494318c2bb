//! Exact comparison of two rates: the conditional binomial test and the intervals that belong to it.
//!
//! Of n events in two stretches of exposure e₁ and e₂ whose rates are equal, those in the second follow a binomial
//! distribution with share e₂ / (e₁ + e₂) (Przyborowski and Wilenski, 1940). Its tails are incomplete beta functions, which take counts that
//! are no whole numbers as well: counts divided by their dispersion.

/// Events over an exposure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// Events; divided by their dispersion these need not be whole.
    pub events: f64,
    /// Exposure, positive.
    pub exposure: f64,
}

/// The chance of a difference at least as large if the rates are equal, two-sided.
#[must_use]
pub fn p_value(before: Observed, after: Observed) -> f64 {
    let share = after.exposure / (before.exposure + after.exposure);
    let few = lower_tail(after.events, before.events, share);
    let many = 1.0 - lower_tail_below(after.events, before.events, share);
    (2.0 * few.min(many)).min(1.0)
}

/// The interval of `rate after / rate before` (Clopper and Pearson's of the share, turned into a ratio).
#[must_use]
pub fn ratio_interval(before: Observed, after: Observed, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let odds = |share: f64| share / (1.0 - share) * before.exposure / after.exposure;
    let low = if after.events <= 0.0 {
        0.0
    } else {
        odds(solve(|share| 1.0 - lower_tail_below(after.events, before.events, share) - tail))
    };
    let high = if before.events <= 0.0 {
        f64::INFINITY
    } else {
        odds(solve(|share| tail - lower_tail(after.events, before.events, share)))
    };
    (low, high)
}

/// The interval of a rate (Garwood's for a Poisson count).
#[must_use]
pub fn rate_interval(observed: Observed, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    let Observed { events, exposure } = observed;
    // The gamma distribution is the limit of the beta distribution; so many more events than can be seen elsewhere, at rate one.
    let elsewhere = Observed { events: 1e7, exposure: 1e7 };
    let ratio = |level| ratio_interval(elsewhere, observed, level);
    let (low, high) = ratio(1.0 - 2.0 * tail);
    if events <= 0.0 { (0.0, -tail.ln() / exposure) } else { (low, high) }
}

/// The chance of no event after if the rates are equal, given those before: one-sided, as "gone" claims it.
#[must_use]
pub fn chance_of_none(events: f64, own: f64, other: f64) -> f64 {
    (other / (own + other)).powf(events)
}

/// P(X ≤ x) of x among x + others, with chance `share` each.
fn lower_tail(x: f64, others: f64, share: f64) -> f64 {
    if others <= 0.0 { 1.0 } else { 1.0 - incomplete_beta(x + 1.0, others, share) }
}

/// P(X < x).
fn lower_tail_below(x: f64, others: f64, share: f64) -> f64 {
    if x <= 0.0 { 0.0 } else { 1.0 - incomplete_beta(x, others + 1.0, share) }
}

/// Where a function that grows crosses zero, between 0 and 1.
fn solve(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Halving so often uses up a double's precision.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction (Lentz's method; DLMF 8.17.22).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() - ln_gamma(a) - ln_gamma(b) + ln_gamma(a + b)).exp() / a;
    let tiny = 1e-300;
    let safe = |value: f64| if value.abs() < tiny { tiny } else { value };
    let (mut c, mut d) = (1.0, 1.0 / safe(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / safe(1.0 + even * d);
        c = safe(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / safe(1.0 + odd * d);
        c = safe(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// The logarithm of the gamma function of a positive number (Stirling's series, after moving up to where it is exact).
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-4 * expected.abs().max(1e-3), "{value} is not {expected}");
    }

    #[test]
    fn tails_are_those_of_the_binomial_distribution() {
        // By hand: 0.5^6 · (1 + 6 + 15) for two of six.
        near(lower_tail(2.0, 4.0, 0.5), 22.0 / 64.0);
        near(lower_tail_below(2.0, 4.0, 0.5), 7.0 / 64.0);
        near(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln());
    }

    #[test]
    fn intervals_are_those_of_textbooks() {
        let at = |events: f64, exposure: f64| Observed { events, exposure };
        // Garwood (1936): 10 events have 4.7954 to 18.3904; none have up to 3.6889.
        let (low, high) = rate_interval(at(10.0, 1.0), 0.95);
        near(low, 4.7954);
        near(high, 18.3904);
        near(rate_interval(at(0.0, 1.0), 0.95).1, 3.6889);
        // R: binom.test(2, 12) has 0.02086 to 0.48414.
        let (low, high) = ratio_interval(at(10.0, 1.0), at(2.0, 1.0), 0.95);
        near(low, 0.020_863 / (1.0 - 0.020_863));
        near(high, 0.484_138 / (1.0 - 0.484_138));
        // R: binom.test(2, 12)$p.value is 0.03857.
        near(p_value(at(10.0, 1.0), at(2.0, 1.0)), 0.038_574);
    }

    #[test]
    fn exposure_counts() {
        let at = |events: f64, exposure: f64| Observed { events, exposure };
        near(chance_of_none(5.0, 100.0, 100.0), 1.0 / 32.0);
        let p = p_value(at(10.0, 100.0), at(40.0, 400.0));
        assert!(p > 0.9, "{p}");
        assert!(p_value(at(10.0, 100.0), at(10.0, 400.0)) < 0.01);
    }
}
