//! What a user types: refused with one clear line before the first packet, or answered.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::{
    NotRun, Ran, need,
    product::{Ended, HEADCOUNT, run_here, schema},
    trial,
};

/// Input that is refused.
struct Refused {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What the error line names.
    says: &'static [&'static str],
}

/// A target file, a line of which is no target. `{file}` in the arguments stands for it; nothing can lie below it.
const FILE: &str = "# the office\n10.91.9.1\n10.91.9.0/99\n";

const fn refused(
    name: &'static str,
    arguments: &'static [&'static str],
    says: &'static [&'static str],
) -> Refused {
    Refused { name, arguments, says }
}

/// Everything is typed after `headcount`.
const REFUSED: &[Refused] = &[
    refused("prefix_too_long", &["scan", "10.91.9.0/33"], &["10.91.9.0/33"]),
    refused("octet_too_great", &["scan", "10.91.9.256"], &["10.91.9.256"]),
    refused("range_runs_backwards", &["scan", "10.91.9.9-5"], &["10.91.9.9-5"]),
    refused("ipv6", &["scan", "fe80::1"], &["fe80::1", "IPv6"]),
    refused("not_a_name", &["scan", "what?"], &["what?"]),
    refused("one_bad_among_good", &["scan", "10.91.9.1", "10.91.9.0/40"], &["10.91.9.0/40"]),
    refused("multicast", &["scan", "224.0.0.1"], &["224.0.0.1"]),
    refused("public_address", &["scan", "8.8.8.8"], &["8.8.8.8", "--allow-public"]),
    refused("too_many_addresses", &["scan", "10.0.0.0/8"], &["16777216", "--allow-large"]),
    refused("everything_excluded", &["scan", "10.91.9.0/24", "--exclude", "10.91.0.0/16"], &["excluded"]),
    refused("bad_exclusion", &["scan", "10.91.9.0/24", "--exclude", "10.91.9.0/x"], &["10.91.9.0/x"]),
    refused("missing_exclude_file", &["scan", "10.91.9.1", "--exclude-file", "{file}/x"], &["{file}/x"]),
    refused("missing_target_file", &["scan", "@{file}/targets"], &["{file}/targets"]),
    refused("directory_as_target_file", &["scan", "@/"], &["/"]),
    refused("bad_line_in_target_file", &["scan", "@{file}"], &["{file}", "3", "10.91.9.0/99"]),
    refused("empty_standard_input", &["scan", "-"], &["standard input"]),
    refused("unknown_interface", &["scan", "--interface", "nosuch0"], &["nosuch0"]),
    refused("missing_fingerprints", &["scan", "10.91.9.1", "--fingerprints", "{file}/x"], &["{file}/x"]),
    refused("one_file_for_two", &["scan", "10.91.9.1", "--json", "-", "--unknown", "-"], &["two outputs"]),
    refused("port_too_great", &["scan", "10.91.9.1", "--ports", "70000"], &["70000"]),
    refused("port_zero", &["scan", "10.91.9.1", "--ports", "0"], &["0"]),
    refused("ports_run_backwards", &["scan", "10.91.9.1", "--ports", "90-80"], &["90-80"]),
    refused("empty_port", &["scan", "10.91.9.1", "--ports", "22,,80"], &["--ports"]),
    refused("rate_zero", &["scan", "10.91.9.1", "--rate", "0"], &["--rate"]),
    refused("rate_below_zero", &["scan", "10.91.9.1", "--rate=-5"], &["--rate"]),
    refused("rate_not_a_number", &["scan", "10.91.9.1", "--rate", "NaN"], &["--rate"]),
    refused("host_rate_is_a_word", &["scan", "10.91.9.1", "--host-rate", "quick"], &["quick"]),
    refused("unknown_profile", &["scan", "10.91.9.1", "--profile", "ludicrous"], &["ludicrous"]),
    refused("dns_server_is_no_address", &["scan", "10.91.9.1", "--dns", "here"], &["here"]),
    refused(
        "output_cannot_be_written",
        &["scan", "10.91.9.1", "--json", "{file}/o.json"],
        &["{file}/o.json"],
    ),
    refused("log_cannot_be_written", &["scan", "10.91.9.1", "--log", "{file}/o.log"], &["{file}/o.log"]),
    refused("nothing_to_resume", &["scan", "--resume", "{file}/o.log"], &["{file}/o.log"]),
    refused("not_a_log", &["scan", "--resume", "{file}"], &["{file}"]),
    refused("nothing_to_show", &["show", "{file}/o.log"], &["{file}/o.log"]),
    refused("unknown_option", &["scan", "10.91.9.1", "--loudly"], &["--loudly"]),
    refused("unknown_command", &["scna"], &["scna"]),
];

pub(crate) fn trials() -> Vec<Trial> {
    let refused = REFUSED.iter().map(|case| trial(&format!("cli::refuses::{}", case.name), || refuses(case)));
    let answered = [
        trial("cli::help_names_every_command", help),
        trial("cli::version", version),
        trial("cli::schema_is_a_schema", schema_is_a_schema),
        trial("cli::doctor_runs", doctor),
        trial("cli::a_dry_run_sends_nothing", dry_run),
    ];
    refused.chain(answered).collect()
}

fn refuses(case: &Refused) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("targets.txt");
    fs::write(&file, FILE).unwrap();
    let fill = |text: &&str| text.replace("{file}", file.to_str().unwrap());
    let arguments: Vec<_> = case.arguments.iter().map(fill).collect();
    let (ended, packets) = run_on_island(directory.path(), &arguments)?;
    let Ended { code, output, error } = ended;
    assert_eq!(code, Some(2), "{arguments:?}: {error}");
    assert_eq!(packets, 0, "{arguments:?}: packets were sent");
    assert_eq!(output, "", "standard output is for data");
    let lines: Vec<_> = error.lines().filter(|line| !is_usage(line)).collect();
    let [line] = lines[..] else { panic!("{arguments:?}: not one line: {error}") };
    for part in case.says.iter().map(fill) {
        assert!(line.contains(&part), "{arguments:?}: \"{part}\" is not named: {line}");
    }
    Ok(())
}

/// The lines that clap adds below an error.
fn is_usage(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || ["Usage:", "For more information", "tip:", "[possible values"]
            .iter()
            .any(|start| line.starts_with(start))
}

/// Runs headcount where the only network is a cable that ends nowhere, and counts what it sends on it.
fn run_on_island(directory: &Path, arguments: &[String]) -> Result<(Ended, u64), NotRun> {
    const SCRIPT: &str = r#"
        echo 1 2>/dev/null > /proc/sys/net/ipv6/conf/all/disable_ipv6
        echo 1 2>/dev/null > /proc/sys/net/ipv6/conf/default/disable_ipv6
        ip link set lo up && ip link add eth0 type veth peer name nowhere || exit 99
        ip addr add 10.91.9.2/24 dev eth0 && ip link set eth0 up && ip link set nowhere up || exit 99
        counter=$1; shift
        "$@"; code=$?
        awk '$1 == "eth0:" || $1 == "lo:" { sent += $11 } END { print sent + 0 }' /proc/net/dev > "$counter"
        exit $code"#;
    need(&["unshare", "ip", "awk", "timeout"])?;
    let counter = directory.join("packets");
    let empty = directory.join("empty");
    File::create(&empty).unwrap();
    // Root keeps its own user: inside a user namespace, files of the build directory may not be readable.
    let root = fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t0"));
    let island: &[&str] = if root { &["--net"] } else { &["--user", "--map-root-user", "--net"] };
    let mut command = Command::new("timeout");
    command
        .args(["60", "unshare"])
        .args(island)
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(&counter)
        .arg(HEADCOUNT);
    command.args(arguments).stdin(File::open(&empty).unwrap());
    command.env("PATH", with_system_directories()).env("HOME", directory).env("XDG_STATE_HOME", directory);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended =
        Ended { code: output.status.code(), output: text(&output.stdout), error: text(&output.stderr) };
    match fs::read_to_string(&counter) {
        Ok(sent) => Ok((ended, sent.trim().parse().unwrap())),
        Err(_) => Err(NotRun(format!("no network namespace of its own: {}", ended.error.trim()))),
    }
}

fn with_system_directories() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

fn help() -> Ran {
    let Ended { code, output, .. } = run_here(&["--help"]);
    assert_eq!(code, Some(0));
    for command in ["scan", "show", "demo", "doctor", "schema"] {
        assert!(output.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {output}");
        let of_command = run_here(&[command, "--help"]);
        assert_eq!((of_command.code, of_command.error.as_str()), (Some(0), ""), "{command}");
    }
    Ok(())
}

fn version() -> Ran {
    let Ended { code, output, .. } = run_here(&["--version"]);
    assert_eq!(code, Some(0));
    assert_eq!(output.trim(), format!("headcount {}", env!("CARGO_PKG_VERSION")));
    Ok(())
}

/// It describes itself as JSON Schema, and an empty document breaks it.
fn schema_is_a_schema() -> Ran {
    let document: Value = serde_json::from_str(&run_here(&["schema"]).output).unwrap();
    assert!(document["$schema"].as_str().is_some_and(|name| name.contains("json-schema.org")), "{document}");
    assert!(!schema().is_valid(&serde_json::json!({})));
    Ok(())
}

fn doctor() -> Ran {
    let Ended { code, output, error } = run_here(&["doctor"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(!output.is_empty());
    Ok(())
}

fn dry_run() -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["scan", "--dry-run", "10.91.9.0/24", "--ports", "22,80"].map(str::to_owned);
    let (ended, packets) = run_on_island(directory.path(), &arguments)?;
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    assert_eq!(packets, 0);
    for part in ["256 addresses", "22,80", "arp", "may ask for up to 3 pages more"] {
        assert!(ended.output.contains(part), "\"{part}\" is not named: {}", ended.output);
    }
    Ok(())
}
