//! Files that appear whole: written under a temporary name beside their own and renamed at the end.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use tempfile::{Builder, NamedTempFile};

use crate::args::OutputArgs;

/// Where the results go.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    /// JSON.
    pub json: Option<Output>,
    /// JSON records.
    pub ndjson: Option<Output>,
    /// CSV.
    pub csv: Option<Output>,
    /// What devices said that are not fully named.
    pub unknown: Option<Output>,
    /// Whether the table goes to stdout.
    pub table: bool,
}

impl Outputs {
    /// Makes the temporary files, so that a path that cannot be written is known before the first packet.
    ///
    /// # Errors
    /// Two outputs to stdout or to one file; a file that cannot be made.
    pub(crate) fn open(args: &OutputArgs) -> anyhow::Result<Self> {
        let asked = [&args.json, &args.ndjson, &args.csv, &args.unknown];
        let paths: Vec<&PathBuf> = asked.into_iter().flatten().collect();
        for (i, path) in paths.iter().enumerate() {
            if paths[..i].contains(path) {
                bail!("{} is given for two outputs", path.display());
            }
        }
        let open = |option: &str, path: &Option<PathBuf>| -> anyhow::Result<Option<Output>> {
            path.as_deref()
                .map(|path| Output::open(path).with_context(|| format!("{option} {}", path.display())))
                .transpose()
        };
        let to_stdout = paths.iter().any(|path| path.as_os_str() == "-");
        Ok(Self {
            json: open("--json", &args.json)?,
            ndjson: open("--ndjson", &args.ndjson)?,
            csv: open("--csv", &args.csv)?,
            unknown: open("--unknown", &args.unknown)?,
            table: !args.quiet && !to_stdout,
        })
    }
}

/// One output.
#[derive(Debug)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A file that does not exist under its name yet.
    File {
        /// What is written.
        file: BufWriter<NamedTempFile>,
        /// Its name to be.
        path: PathBuf,
    },
}

impl Output {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            bail!("it is a folder");
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().context("it names no file")?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: the umask decides.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file =
            builder.tempfile_in(folder).with_context(|| format!("cannot write in {}", folder.display()))?;
        Ok(Self::File { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// Ends the output: the file gets its name.
    ///
    /// # Errors
    /// The last bytes cannot be written or the file cannot be renamed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout => Ok(io::stdout().flush()?),
            Self::File { file, path } => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
                Ok(())
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => io::stdout().write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let args = OutputArgs { json: Some(path.clone()), ..OutputArgs::default() };
        let mut output = Outputs::open(&args).unwrap().json.unwrap();
        output.write_all(b"{}").unwrap();
        assert!(!path.exists());
        output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: PathBuf| Outputs::open(&OutputArgs { json: Some(path), ..OutputArgs::default() });
        assert!(at(folder.path().join("no/such/out.json")).is_err());
        assert!(at(folder.path().to_owned()).is_err());
        let twice = OutputArgs { json: Some("-".into()), csv: Some("-".into()), ..OutputArgs::default() };
        assert!(Outputs::open(&twice).is_err());
    }
}
