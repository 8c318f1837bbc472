//! Child processes that end with the test.

use std::{
    fs::File,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use super::until;

/// A child process. Its standard output and error go to files, so that it never blocks on a full pipe.
pub(crate) struct Process {
    child: Child,
    name: String,
    output: PathBuf,
    error: PathBuf,
}

impl Process {
    /// Starts `command`; its output lands in `directory` as `name.out` and `name.err`.
    pub(crate) fn start(mut command: Command, directory: &Path, name: &str) -> Self {
        let output = directory.join(format!("{name}.out"));
        let error = directory.join(format!("{name}.err"));
        // Some daemons end their whole process group when they end (smbd): it must not be that of the tests.
        let child = command
            .process_group(0)
            .stdout(File::create(&output).unwrap())
            .stderr(File::create(&error).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, name: name.to_owned(), output, error }
    }

    /// What it wrote to standard output so far.
    pub(crate) fn output(&self) -> String {
        read(&self.output)
    }

    /// What it wrote to standard error so far.
    pub(crate) fn error(&self) -> String {
        read(&self.error)
    }

    /// Fails the test when it has ended by itself.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended with {status}:\n{}{}", self.name, self.output(), self.error());
        }
    }

    /// Sends a signal by name, as in `INT`.
    pub(crate) fn signal(&self, signal: &str) {
        // The standard library sends SIGKILL only.
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{signal} {}", self.name);
    }

    /// Waits for its end; fails the test after `limit`. Beside its status: the most memory that it was seen to have
    /// had, in KiB.
    pub(crate) fn wait_for_peak(&mut self, limit: Duration) -> (ExitStatus, u64) {
        let mut peak = 0;
        let status = until(&format!("the end of {}", self.name), limit, || {
            let status =
                std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let seen = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(seen.unwrap_or_default());
            self.child.try_wait().unwrap()
        });
        (status, peak)
    }

    /// Waits for its end; fails the test after `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if start.elapsed() > limit {
                panic!("{} still runs after {limit:?}:\n{}", self.name, self.error());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    /// Asks it to end, so that it can end its own children, and then ends it.
    fn drop(&mut self) {
        let gone = |child: &mut Child| child.try_wait().is_ok_and(|status| status.is_some());
        if gone(&mut self.child) {
            return;
        }
        let _ = quiet("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) && !gone(&mut self.child) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that says nothing.
pub(crate) fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs `command` with `input` and gives what it wrote, or the reason why it failed.
pub(crate) fn run_with(mut command: Command, input: &str) -> Result<String, String> {
    let shown = format!("{command:?}");
    let mut run = || -> io::Result<std::process::Output> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            io::Write::write_all(&mut stdin, input.as_bytes())?;
        }
        child.wait_with_output()
    };
    let output = run().map_err(|error| format!("{shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits until `process` has written `text` to standard error.
pub(crate) fn until_says(process: &mut Process, text: &str) {
    until(text, Duration::from_secs(10), || {
        process.assert_alive();
        process.error().contains(text).then_some(())
    });
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
