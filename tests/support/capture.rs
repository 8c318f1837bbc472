//! A capture of everything on one interface, by tcpdump.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    frame::{self, Frame},
    namespace::{Counters, Namespace},
    process::{Process, until_says},
    until,
};

/// A running capture.
pub(crate) struct Capture<'a> {
    namespace: &'a Namespace,
    process: Process,
    file: PathBuf,
    /// What the interface had counted once the capture listened.
    before: Counters,
}

impl<'a> Capture<'a> {
    /// Captures on `eth0` of `namespace` into `directory`; returns once it listens.
    pub(crate) fn start(namespace: &'a Namespace, directory: &Path, name: &str) -> Self {
        let file = directory.join(format!("{name}.pcap"));
        let mut command = namespace.command("tcpdump");
        // As root: the directory is private to this run. Each packet at once: what still lies in tcpdump's buffer
        // when it is ended would be lost.
        command.args([
            "-p",
            "-n",
            "-U",
            "--immediate-mode",
            "-s",
            "0",
            "-B",
            "8192",
            "-Z",
            "root",
            "-i",
            "eth0",
        ]);
        command.arg("-w").arg(&file);
        let mut process = Process::start(command, directory, name);
        until_says(&mut process, "listening on");
        let before = namespace.counters();
        Self { namespace, process, file, before }
    }

    /// Ends the capture and gives its frames. They are all: the test fails when the interface counted more.
    pub(crate) fn finish(mut self) -> Vec<Frame> {
        let now = self.namespace.counters();
        let counted = now.sent - self.before.sent + now.received - self.before.received;
        until("the capture holds what the interface counted", Duration::from_secs(10), || {
            (frame::read(&self.file).len() as u64 >= counted).then_some(())
        });
        self.process.signal("INT");
        let status = self.process.wait(Duration::from_secs(10));
        let report = self.process.error();
        assert!(status.success(), "{report}");
        assert!(report.contains("\n0 packets dropped by kernel"), "the capture has gaps: {report}");
        frame::read(&self.file)
    }
}
