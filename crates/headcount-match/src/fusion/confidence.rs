//! From the arithmetic of evidence to a confidence that keeps its word.

/// Raw and calibrated confidence, rising; between two points the line is straight.
type Points = &'static [(f64, f64)];

/// Fitted by hand, attribute by attribute, to the shares that were right on the labelled observations that
/// fingerprints/README.md names and on public ones that nobody had read who wrote fingerprints; where the two disagree,
/// nearer to the first. What is not listed has
/// no labels to fit to and stays as it is. A type that little speaks for is no answer: on what nobody had read, such
/// guesses were wrong more often than right.
const FITTED: [(&str, Points); 5] = [
    (
        "device.product",
        &[
            (0.0, 0.0),
            (0.5, 0.5),
            (0.56, 0.7),
            (0.72, 0.82),
            (0.86, 0.845),
            (0.93, 0.95),
            (0.965, 0.955),
            (1.0, 0.96),
        ],
    ),
    (
        "device.type",
        &[
            (0.0, 0.0),
            (0.585, 0.495),
            (0.6, 0.62),
            (0.69, 0.74),
            (0.73, 0.79),
            (0.84, 0.81),
            (0.915, 0.855),
            (0.96, 0.935),
            (1.0, 0.98),
        ],
    ),
    (
        "device.vendor",
        &[
            (0.0, 0.0),
            (0.5, 0.5),
            (0.54, 0.7),
            (0.74, 0.75),
            (0.84, 0.89),
            (0.915, 0.95),
            (0.965, 0.985),
            (1.0, 0.995),
        ],
    ),
    (
        "device.version",
        &[(0.0, 0.0), (0.5, 0.5), (0.57, 0.75), (0.72, 0.89), (0.9, 0.945), (0.965, 0.95), (1.0, 0.99)],
    ),
    (
        "service.product",
        &[(0.0, 0.0), (0.5, 0.5), (0.6, 0.70), (0.86, 0.86), (0.925, 0.915), (0.955, 0.95), (1.0, 0.995)],
    ),
];
/// What has not been fitted.
const AS_IT_IS: Points = &[(0.0, 0.0), (1.0, 1.0)];

/// The bands of the published table.
const BOUNDS: [f64; 10] = [0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/// The calibrated confidence of a raw one in a value of an attribute, to three digits.
pub(crate) fn calibrated(attribute: &str, raw: f64) -> f64 {
    let raw = if raw.is_nan() { 0.0 } else { raw.clamp(0.0, 1.0) };
    let points = FITTED.iter().find(|(name, _)| *name == attribute).map_or(AS_IT_IS, |(_, points)| points);
    let mut segments = points.iter().zip(points.iter().skip(1));
    let segment = segments.find(|(_, to)| raw <= to.0);
    let value = segment.map_or(raw, |(from, to)| {
        let part = if to.0 > from.0 { (raw - from.0) / (to.0 - from.0) } else { 1.0 };
        from.1 + part * (to.1 - from.1)
    });
    // Nothing is certain.
    ((value * 1000.0).round() / 1000.0).min(0.999)
}

/// How often claims of one band of confidence are right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The least confidence in the band.
    pub from: f64,
    /// The confidence below which the band ends; the last one holds 1.
    pub to: f64,
    /// How many claims it holds.
    pub claims: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that was right.
    pub right: f64,
}

/// How well confidences keep their word: claims (confidence, whether it was right) by bands of confidence, without
/// empty ones.
pub fn calibration(claims: impl IntoIterator<Item = (f64, bool)>) -> Vec<Band> {
    let mut sums = [(0u64, 0.0f64, 0u64); BOUNDS.len()];
    for (confidence, right) in claims {
        let band = BOUNDS.iter().rposition(|bound| confidence >= *bound).unwrap_or(0);
        if let Some((count, sum, good)) = sums.get_mut(band) {
            *count += 1;
            *sum += confidence;
            *good += u64::from(right);
        }
    }
    let ends = BOUNDS.iter().skip(1).copied().chain([1.0]);
    let band = |((from, to), (claims, sum, good)): ((f64, f64), (u64, f64, u64))| Band {
        from,
        to,
        claims,
        confidence: sum / claims as f64,
        right: good as f64 / claims as f64,
    };
    let full = BOUNDS.into_iter().zip(ends).zip(sums).filter(|(_, (claims, ..))| *claims > 0);
    full.map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_rises_and_stays_within_bounds() {
        for (attribute, points) in FITTED.iter().copied().chain([("os.product", AS_IT_IS)]) {
            assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            assert_eq!((points[0].0, points[points.len() - 1].0), (0.0, 1.0));
            let values: Vec<f64> = (0..=1000).map(|i| calibrated(attribute, f64::from(i) / 1000.0)).collect();
            assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(values.iter().all(|value| (0.0..=0.999).contains(value)));
            assert_eq!(calibrated(attribute, f64::NAN), 0.0);
        }
        assert_eq!(calibrated("os.product", 7.0), 0.999);
        assert_eq!(calibrated("os.product", 0.25), 0.25);
    }

    #[test]
    fn bands_say_how_often_claims_are_right() {
        let bands = calibration([(0.92, true), (0.94, false), (0.55, true), (1.0, true)]);
        let seen: Vec<_> = bands.iter().map(|b| (b.from, b.claims, b.right)).collect();
        assert_eq!(seen, [(0.5, 1, 1.0), (0.9, 2, 0.5), (0.99, 1, 1.0)]);
        assert!((bands[1].confidence - 0.93).abs() < 1e-9);
        assert!(calibration([]).is_empty());
    }
}
