//! What is wrong with a file.

use std::fmt;

/// Something in a fingerprint file that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the library's directory.
    pub file: String,
    /// The entry, or the line of a table, where the fault lies in one.
    pub entry: Option<String>,
    /// What is wrong.
    pub cause: String,
}

impl Fault {
    /// A fault of a whole file.
    pub fn of_file(file: &str, cause: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), entry: None, cause: cause.to_string() }
    }

    /// A fault of one entry of a file.
    pub fn of_entry(file: &str, entry: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), entry: Some(entry.to_string()), cause: cause.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "{}: {entry}: {}", self.file, self.cause),
            None => write!(f, "{}: {}", self.file, self.cause),
        }
    }
}

impl std::error::Error for Fault {}
