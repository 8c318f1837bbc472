//! Nothing but the exit code.

fn main() -> std::process::ExitCode {
    headcount::main()
}
