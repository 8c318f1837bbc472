//! The progress bar, on stderr and only on a terminal.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use headcount_engine::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar that may be absent.
#[derive(Debug)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar, unless stderr is no terminal or the user wants none.
    pub(crate) fn new(wanted: bool) -> Self {
        if !wanted || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template("{bar:28} {percent:>3}%  {msg}") {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        Self(Some(bar))
    }

    /// Shows how the run stands.
    pub(crate) fn show(&self, progress: &Progress) {
        let Some(bar) = &self.0 else { return };
        bar.set_length(progress.expected.max(1));
        bar.set_position(progress.sent);
        let left = duration(progress.left);
        bar.set_message(format!("{} hosts  {:.0} packets/s  {left} left", progress.present, progress.rate));
    }

    /// Prints a line above the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| crate::say(line)),
            None => crate::say(line),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A time for people: `0.8 s`, `12 s`, `3 min`, `2 h 5 min`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 119.5 {
        format!("{seconds:.0} s")
    } else if seconds < 7_170.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        let minutes = (seconds / 60.0).round() as u64;
        format!("{} h {} min", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown: Vec<String> =
            [0.84, 12.2, 119.0, 180.0, 7500.0].map(|s| duration(Duration::from_secs_f64(s))).to_vec();
        assert_eq!(shown, ["0.8 s", "12 s", "119 s", "3 min", "2 h 5 min"]);
    }
}
