//! Evidence from bundles in files.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::subject::{STDIN, as_hashed_in, subject_file};
use super::{Inspected, TrustPolicy, ct_log};
use crate::bundle::{self, Bundle};
use crate::fail::{Fail, broken};
use crate::parallel;
use crate::proof::Evidence;
use crate::state;

/// Checks bundles, as many at once as the machine has processors, without asking a
/// server.
pub(crate) fn inspect(
    files: &[PathBuf],
    blob: Option<&Path>,
    trust: &TrustPolicy,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    const OFFLINE: &str = "only the log can show that it extends what was seen of it before";
    let subject = blob.map(subject_file).transpose()?;
    let several = files.len() > 1;
    let of_file = |file: &PathBuf| -> Result<Vec<Inspected>> {
        let named = |fail: Fail| Fail {
            what: match file.to_str() {
                Some(STDIN) => format!("standard input: {}", fail.what),
                _ => format!("{}: {}", file.display(), fail.what),
            },
            ..fail
        };
        // Others keep several in one file.
        let bundles = bundle::read_all(&read(file)?).map_err(named)?;
        let all = bundles.len();
        let one = |(i, bundle): (usize, Bundle)| {
            let subject = match (&subject, blob) {
                (Some(subject), Some(blob)) => {
                    Some(as_hashed_in(subject.clone(), blob, &bundle.content)?)
                }
                _ => None,
            };
            let evidence = Evidence {
                subject,
                bundle: Some(bundle),
                from_log: None,
            };
            let mut inspected = Inspected::offline(evidence, trust, OFFLINE);
            ct_log::leave_out(&mut inspected);
            let file = file.display();
            inspected.title = match all {
                1 => several.then(|| file.to_string()),
                _ => Some(format!("{file}: bundle {} of {all}", i + 1)),
            };
            Ok(inspected)
        };
        bundles.into_iter().enumerate().map(one).collect()
    };
    parallel::ordered(files, of_file, |inspected| {
        inspected?.into_iter().try_for_each(&mut show)
    })
}

/// A file, or what comes on standard input for `-`.
fn read(file: &Path) -> Result<Vec<u8>> {
    if file != Path::new(STDIN) {
        let missing = || broken(format!("there is no file {}", file.display()));
        return Ok(state::read(file)?.ok_or_else(missing)?);
    }
    let mut text = Vec::new();
    std::io::stdin()
        .take(bundle::LARGEST + 1)
        .read_to_end(&mut text)
        .context("read standard input")?;
    if text.len() as u64 > bundle::LARGEST {
        return Err(broken("what comes on standard input is too large for a bundle").into());
    }
    Ok(text)
}
