//! The product's tests: one module per capability.
//!
//! A test that cannot run here is shown as ignored with the reason "not run: ...", never as passed.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod namespaces;
#[cfg(test)]
mod naming;
#[cfg(test)]
mod register;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod services;
#[cfg(test)]
mod support;

#[cfg(test)]
fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == support::recorder::ARGUMENT => {
            support::recorder::record(arguments);
            return std::process::ExitCode::SUCCESS;
        }
        Some(first) if first == support::hostile::ARGUMENT => support::hostile::serve(arguments),
        _ => {}
    }
    // The lab outlives the trials, which share it, and ends here: exiting at once would leave namespaces behind.
    let lab = std::sync::Arc::new(support::lab::SharedLab::default());
    let scans = std::sync::Arc::new(services::SharedScans::default());
    let trials = [
        arrows::trials(),
        cli::trials(),
        demo::trials(),
        hostile::trials(),
        namespaces::trials(&lab),
        naming::trials(),
        register::trials(),
        repository::trials(),
        services::trials(&scans),
    ];
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

#[cfg(not(test))]
fn main() {}
