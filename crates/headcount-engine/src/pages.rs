//! Which pages of a web server an answer calls for. What is known of devices is not the engine's: it is told.

use std::{fmt, sync::Arc};

type Asks = dyn Fn(&str, &[u8]) -> Vec<String> + Send + Sync;

/// From the field and the value of a statement to the pages (path and query) to ask for where it was said.
///
/// The same statement must always give the same pages. The engine takes no more of them than it allows: see
/// [`MOST_PAGES`](crate::MOST_PAGES).
#[derive(Clone)]
pub struct Pages(Arc<Asks>);

impl Pages {
    /// The pages that `asks` gives.
    pub fn new(asks: impl Fn(&str, &[u8]) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(asks))
    }

    pub(crate) fn of(&self, field: &str, value: &[u8]) -> Vec<String> {
        (self.0)(field, value)
    }
}

/// None.
impl Default for Pages {
    fn default() -> Self {
        Self::new(|_, _| Vec::new())
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}
