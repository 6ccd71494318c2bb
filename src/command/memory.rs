//! What the C library does with memory that is given back, where a limit was promised.

/// From this size (bytes) on, buffers are handed back to the system when they are freed: where glibc begins.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const AT_ONCE: &str = "131072";

/// With the first large buffer that is freed glibc learns that such come again, and keeps from then on what they leave, in pieces
/// (`M_MMAP_THRESHOLD` in mallopt(3)): a third more than is in use. It can be told not to when a process starts, so this one starts
/// again in its own place, before it has read anything. Where that cannot be, it goes on as it is.
pub(super) fn give_back_at_once() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::unix::process::CommandExt as _;

        const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
        if std::env::var_os(THRESHOLD).is_some() {
            return;
        }
        if let Ok(program) = std::env::current_exe() {
            let mut args = std::env::args_os();
            let mut again = std::process::Command::new(program);
            if let Some(name) = args.next() {
                again.arg0(name);
            }
            // This comes back only if it does not work.
            let _ = again.args(args).env(THRESHOLD, AT_ONCE).exec();
        }
    }
}
