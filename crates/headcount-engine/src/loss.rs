//! How much is lost, and what that says of how many hosts were missed.

/// Controls asked and lost. A control is a host that is known to be present and is asked again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Loss {
    pub(crate) asked: u64,
    pub(crate) lost: u64,
}

impl Loss {
    /// A sweep goes on until fewer devices than this are expected to be missed on its segment: over a thousand
    /// segments swept every week, one in two years.
    pub(crate) const GOAL: f64 = 1e-5;

    /// The share of controls that did not answer.
    pub(crate) fn share(&self) -> Option<f64> {
        (self.asked > 0).then(|| self.lost as f64 / self.asked as f64)
    }

    /// The chance that one question to a present host goes unanswered: the Jeffreys estimate, so that a few clean
    /// answers do not pass for certainty.
    pub(crate) fn chance(&self) -> f64 {
        (self.lost as f64 + 0.5) / (self.asked as f64 + 1.0)
    }

    /// The chance that a present host was missed in all of `passes`.
    pub(crate) fn miss_chance(&self, passes: u32) -> f64 {
        self.chance().powi(passes as i32)
    }

    /// How many of about `present` hosts were missed in all of `passes`.
    pub(crate) fn expected_missed(&self, present: u64, passes: u32) -> f64 {
        let miss = self.miss_chance(passes);
        present as f64 * miss / (1.0 - miss)
    }

    /// How often a silent port must be asked until a lost answer is less likely than one in ten thousand.
    /// Three where nothing was measured.
    pub(crate) fn tries(&self) -> u32 {
        if self.asked == 0 {
            return 3;
        }
        (1e-4f64.ln() / self.chance().min(0.9).ln()).ceil() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_lan_needs_three_passes_and_a_lossy_one_more() {
        let passes = |loss: Loss| (1..).find(|k| loss.expected_missed(76, *k) < Loss::GOAL).unwrap();
        assert_eq!(passes(Loss { asked: 150, lost: 0 }), 3);
        assert_eq!(passes(Loss { asked: 1000, lost: 97 }), 7);
        assert_eq!(passes(Loss { asked: 1000, lost: 360 }), 16);
    }

    #[test]
    fn tries_follow_the_loss() {
        assert_eq!(Loss { asked: 150, lost: 0 }.tries(), 2);
        assert_eq!(Loss { asked: 1000, lost: 97 }.tries(), 4);
        assert!(Loss { asked: 10, lost: 10 }.tries() > 10);
    }
}
