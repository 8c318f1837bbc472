//! From what was typed to a scope.

use std::{
    fs,
    io::{self, Read},
    net::Ipv4Addr,
    path::Path,
};

use anyhow::{Context, anyhow};
use headcount_model::{AddressRange, AddressSet, HostName, NameSource, Scope, TargetSpec, targets_in_text};
use headcount_net::Resolver;

use crate::{args::ScopeArgs, exit::Failure};

/// A target file larger than this is no target file.
const MAX_FILE: u64 = 256 << 20;

/// A scope and the names that were used for some of its addresses.
#[derive(Debug)]
pub(crate) struct Targets {
    /// What may be touched.
    pub scope: Scope,
    /// The names that the user gave, with the addresses that they have.
    pub names: Vec<HostName>,
}

/// Reads targets and exclusions; without targets, takes `attached`.
///
/// # Errors
/// Anything that cannot be read as a target, with the argument or the file and line named; a name without an address;
/// a scope that is empty, too large or public without leave.
pub(crate) fn read(
    targets: &[String],
    args: &ScopeArgs,
    attached: &[AddressRange],
    resolve: &dyn Fn(&str) -> anyhow::Result<Vec<Ipv4Addr>>,
) -> Result<Targets, Failure> {
    let mut wanted = Vec::new();
    for text in targets {
        wanted.extend(expand(text).map_err(Failure::Usage)?);
    }
    let mut unwanted = Vec::new();
    for text in &args.exclude {
        unwanted.extend(expand(text).with_context(|| format!("--exclude {text}")).map_err(Failure::Usage)?);
    }
    for path in &args.exclude_file {
        unwanted.extend(from_file(path).context("--exclude-file").map_err(Failure::Usage)?);
    }
    let mut names = Vec::new();
    let mut allowed = addresses(&wanted, resolve, &mut names).map_err(Failure::Usage)?;
    if targets.is_empty() {
        allowed = attached.iter().copied().collect();
    }
    let excluded = addresses(&unwanted, resolve, &mut Vec::new()).map_err(Failure::Usage)?;
    let scope =
        Scope::new(&allowed, excluded, args.allow_public, args.allow_large).map_err(Failure::usage)?;
    names.retain(|name| scope.contains(name.address));
    Ok(Targets { scope, names })
}

/// Looks names up, with the servers that the user named or the system's.
pub(crate) fn resolver(servers: &[std::net::IpAddr]) -> Result<Resolver, headcount_net::NetError> {
    if servers.is_empty() {
        Resolver::system()
    } else {
        let at_port_53 = servers.iter().map(|server| (*server, 53).into()).collect::<Vec<_>>();
        Ok(Resolver::servers(&at_port_53))
    }
}

fn expand(text: &str) -> anyhow::Result<Vec<TargetSpec>> {
    let spec: TargetSpec = text.parse().with_context(|| format!("target \"{text}\""))?;
    match spec {
        TargetSpec::File(path) => from_file(Path::new(&path)),
        TargetSpec::Stdin => {
            let mut text = String::new();
            io::stdin()
                .lock()
                .take(MAX_FILE)
                .read_to_string(&mut text)
                .context("cannot read targets from standard input")?;
            from_text("standard input", &text)
        }
        TargetSpec::Range(_) | TargetSpec::Name(_) => Ok(vec![spec]),
    }
}

fn from_file(path: &Path) -> anyhow::Result<Vec<TargetSpec>> {
    let name = path.display();
    let length = fs::metadata(path).with_context(|| format!("cannot read {name}"))?.len();
    if length > MAX_FILE {
        return Err(anyhow!("{name} is larger than 256 MiB: that is no list of targets"));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{name} is not a text file"))?;
    from_text(&name.to_string(), &text)
}

fn from_text(source: &str, text: &str) -> anyhow::Result<Vec<TargetSpec>> {
    let targets: Vec<TargetSpec> = targets_in_text(text)
        .map(|(line, target)| target.with_context(|| format!("{source}, line {line}")))
        .collect::<Result<_, _>>()?;
    if targets.is_empty() { Err(anyhow!("{source} holds no target")) } else { Ok(targets) }
}

fn addresses(
    specs: &[TargetSpec],
    resolve: &dyn Fn(&str) -> anyhow::Result<Vec<Ipv4Addr>>,
    names: &mut Vec<HostName>,
) -> anyhow::Result<AddressSet> {
    let mut ranges = Vec::with_capacity(specs.len());
    for spec in specs {
        match spec {
            TargetSpec::Range(range) => ranges.push(*range),
            TargetSpec::Name(name) => {
                for address in resolve(name)? {
                    ranges.push(address.into());
                    names.push(HostName { name: name.clone(), source: NameSource::Target, address });
                }
            }
            // Files were read before; they hold neither files nor standard input.
            TargetSpec::File(_) | TargetSpec::Stdin => {}
        }
    }
    Ok(ranges.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn args() -> ScopeArgs {
        ScopeArgs {
            interface: None,
            exclude: Vec::new(),
            exclude_file: Vec::new(),
            allow_public: false,
            allow_large: false,
        }
    }

    fn no_names(name: &str) -> anyhow::Result<Vec<Ipv4Addr>> {
        if name == "printer" {
            Ok(vec![Ipv4Addr::new(10, 0, 0, 9)])
        } else {
            Err(anyhow!("no such name: {name}"))
        }
    }

    fn read_it(targets: &[&str], args: &ScopeArgs) -> Result<Targets, String> {
        let targets: Vec<String> = targets.iter().map(|text| (*text).to_owned()).collect();
        read(&targets, args, &[], &no_names).map_err(|failure| failure.message())
    }

    #[test]
    fn names_files_and_exclusions_make_a_scope() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "10.0.0.0/30 # first\nprinter").unwrap();
        let at = format!("@{}", file.path().display());
        let args = ScopeArgs { exclude: vec!["10.0.0.1".into()], ..args() };
        let targets = read_it(&[&at, "10.0.0.20-22"], &args).unwrap();
        assert_eq!(targets.scope.allowed.to_string(), "10.0.0.0, 10.0.0.2/31, 10.0.0.9, 10.0.0.20-10.0.0.22");
        assert_eq!(targets.names.len(), 1);
    }

    #[test]
    fn errors_name_the_argument_or_the_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "10.0.0.1\n10.0.0.0/40").unwrap();
        let at = format!("@{}", file.path().display());
        let error = read_it(&[&at], &args()).unwrap_err();
        assert!(error.contains("line 2") && error.contains("10.0.0.0/40"), "{error}");
        assert!(read_it(&["10.0.0.256"], &args()).unwrap_err().contains("10.0.0.256"));
        assert!(read_it(&["@/no/such/file"], &args()).unwrap_err().contains("/no/such/file"));
        assert!(read_it(&["nobody"], &args()).unwrap_err().contains("nobody"));
        assert!(read_it(&[], &args()).unwrap_err().contains("empty"));
    }
}
