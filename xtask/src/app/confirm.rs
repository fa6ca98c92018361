//! Asking before something is removed.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;

use crate::fail::{broken, not_so};

/// Asks before a command removes something.
///
/// # Errors
/// Exit status 1 where the answer is no, 2 where there is no terminal to answer at.
pub(crate) fn ask(command: &str, question: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(broken(format!(
            "{command} asks first, and nobody is here to answer"
        ))
        .hint("add --yes")
        .into());
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(not_so("nothing was removed").into())
}
