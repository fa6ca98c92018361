//! Gathering what is known of a signature for `inspect-rekor`, `inspect-certificate`
//! and `report`: from the log, the memory of signatures, a registry, or files.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::App;
use crate::artifact::Signature;
use crate::bundle;
use crate::cli::EvidenceOptions;
use crate::entry::{Entry, Version};
use crate::evidence::checkpoint_store::{Compared, Memory};
use crate::fail::{Fail, broken, not_so};
use crate::http;
use crate::parallel;
use crate::proof::policy::{Expected, Policy};
use crate::proof::{Evidence, Proof, Subject, prove};
use crate::registry::{self, Reference};
use crate::rekor::{self, Which};
use crate::state;
use crate::target::Target;
use crate::trust::root::TrustedRoot;

/// A signature, and what came of checking it.
pub struct Inspected {
    /// What it was found under, where there are several: a file, a manifest.
    pub title: Option<String>,
    /// What is known of it.
    pub evidence: Evidence,
    /// What holds of that.
    pub proof: Proof,
    /// The report of a log with two histories.
    pub forked: Option<Fail>,
}

impl Inspected {
    fn new(evidence: Evidence, trust: &Trust) -> Inspected {
        let proof = prove(&evidence, &trust.root, &trust.policy);
        Inspected {
            title: None,
            evidence,
            proof,
            forked: None,
        }
    }

    /// A signature of which no server is asked.
    fn offline(evidence: Evidence, trust: &Trust, why: &str) -> Inspected {
        let mut inspected = Inspected::new(evidence, trust);
        inspected.proof.skip("consistency", why);
        inspected
    }
}

/// Whose word counts.
struct Trust {
    root: TrustedRoot,
    policy: Policy,
}

/// Whether the log is asked for what a bundle says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// It is.
    TheLog,
    /// Only where nothing else has the entry.
    Nobody,
}

/// Gathers and checks every signature that was asked for, and shows one after the
/// other as they come.
///
/// # Errors
/// Where nothing can be said of one; whether its links hold is what is shown.
pub fn each(
    app: &App,
    options: &EvidenceOptions,
    ask: Ask,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    if app.ui.style().verbose && !app.ui.style().json {
        http::tell();
    }
    refuse(options)?;
    let policy = Policy {
        identity: Expected::typed(
            options.identity.as_deref(),
            options.identity_regexp.as_deref(),
        )?,
        issuer: Expected::typed(options.issuer.as_deref(), options.issuer_regexp.as_deref())?,
    };
    let root = match &options.trusted_root {
        Some(file) => file.clone(),
        None => app.target()?.trusted_root()?,
    };
    let text = state::read(&root)?.ok_or_else(|| match &options.trusted_root {
        Some(file) => broken(format!("there is no file {}", file.display())),
        None => broken("this installation has no trusted root yet: it is not complete")
            .hint("go on with it: cargo xtask install"),
    })?;
    let root = TrustedRoot::read(&text).map_err(|fail| Fail {
        what: format!("{}: {}", root.display(), fail.what),
        ..fail
    })?;
    let trust = Trust { root, policy };
    if !options.bundle.is_empty() {
        return bundles(options, &trust, show);
    }
    let target = app.target()?;
    if let Some(image) = &options.image {
        return of_image(target.as_ref(), image, ask, &trust, show);
    }
    show(of_log(target.as_ref(), options, ask, &trust)?)
}

/// Fails where what was typed can only be a mistake.
fn refuse(options: &EvidenceOptions) -> Result<(), Fail> {
    if let Some(image) = &options.image
        && Path::new(image).is_file()
    {
        return Err(broken(format!("{image} is a file, not an image"))
            .hint("a bundle is named by an option: --bundle FILE"));
    }
    let files = options.bundle.iter().chain(&options.blob);
    if files.filter(|file| *file == Path::new("-")).count() > 1 {
        return Err(broken("standard input can be read once only"));
    }
    Ok(())
}

/// Bundles, as many at once as the machine has processors; nobody is asked.
fn bundles(
    options: &EvidenceOptions,
    trust: &Trust,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    const OFFLINE: &str = "only the log can show that it extends what was seen of it before";
    let subject = options.blob.as_deref().map(subject_file).transpose()?;
    let several = options.bundle.len() > 1;
    let one = |file: &std::path::PathBuf| -> Result<Inspected> {
        let named = |fail: Fail| Fail {
            what: match file.to_str() {
                Some("-") => format!("standard input: {}", fail.what),
                _ => format!("{}: {}", file.display(), fail.what),
            },
            ..fail
        };
        let text = read(file)?;
        let evidence = Evidence {
            subject: subject.clone(),
            bundle: Some(bundle::read(&text).map_err(named)?),
            shown: None,
        };
        let mut inspected = Inspected::offline(evidence, trust, OFFLINE);
        inspected.title = several.then(|| file.display().to_string());
        Ok(inspected)
    };
    parallel::ordered(&options.bundle, one, |inspected| show(inspected?))
}

/// A file, or what comes on standard input for `-`.
fn read(file: &Path) -> Result<Vec<u8>> {
    if file != Path::new("-") {
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

fn subject_file(file: &Path) -> Result<Subject> {
    let bytes = read(file)?;
    Ok(Subject {
        name: file.display().to_string(),
        digest: bundle::sha256(&bytes),
        bytes: Some(bytes),
    })
}

/// All signatures of an image.
fn of_image(
    target: &dyn Target,
    image: &str,
    ask: Ask,
    trust: &Trust,
    mut show: impl FnMut(Inspected) -> Result<()>,
) -> Result<()> {
    let reference = Reference::read(image)?;
    let reached = target.reach_registry(&reference.host)?;
    let (digest, found) = registry::signatures(&reached.server, &reference)?;
    let subject = Subject {
        name: format!("{}/{}@{digest}", reference.host, reference.name),
        digest,
        bytes: None,
    };
    if found.is_empty() {
        return Err(not_so(format!("{} carries no signature", subject.name))
            .hint(format!("sign it: cargo xtask sign {}", subject.name))
            .into());
    }
    let several = found.len() > 1;
    for found in found {
        let evidence = Evidence {
            subject: Some(subject.clone()),
            bundle: Some(found.bundle),
            shown: None,
        };
        let mut inspected = match ask {
            Ask::TheLog => beside_the_log(target, evidence, trust)?,
            Ask::Nobody => Inspected::offline(evidence, trust, "the log was not asked"),
        };
        inspected.title = several.then_some(found.at);
        show(inspected)?;
    }
    Ok(())
}

/// A bundle, with what its log shows now where that log runs here.
fn beside_the_log(target: &dyn Target, mut evidence: Evidence, trust: &Trust) -> Result<Inspected> {
    let entry = evidence
        .bundle
        .as_ref()
        .and_then(|bundle| bundle.entry.as_ref());
    let Some(entry) = entry else {
        let why = "the bundle names no log";
        return Ok(Inspected::offline(evidence, trust, why));
    };
    let (version, which, named) = (entry.rekor, Which::Index(entry.index), entry.log_id.clone());
    let memory = Memory::read(&target.dir())?;
    let reached = target.reach_rekor(version);
    let asked = match &reached {
        Ok(reached) => rekor::fetch(version, &reached.server, &which),
        Err(error) => Err(Fail::from_error(error).into()),
    };
    match asked {
        Ok((shown, log)) if named.is_some() && log_id(&shown, trust) == named => {
            evidence.shown = Some(shown);
            remembering(evidence, log, &memory, trust)
        }
        Ok(_) => {
            let why = "the log that holds the entry does not run here";
            Ok(Inspected::offline(evidence, trust, why))
        }
        Err(error) => {
            let why = Fail::from_error(&error).what;
            Ok(Inspected::offline(evidence, trust, &why))
        }
    }
}

/// The id of the log that an entry came from.
fn log_id(entry: &Entry, trust: &Trust) -> Option<Vec<u8>> {
    if let Some(id) = &entry.log_id {
        return Some(id.clone());
    }
    let text = entry.proof.as_ref()?.checkpoint.as_ref()?;
    let checkpoint = crate::tlog::checkpoint::Checkpoint::read(text).ok()?;
    Some(checkpoint.signer(&trust.root)?.id().to_vec())
}

/// Checks a signature, and the log's checkpoint against the last one seen.
fn remembering(
    evidence: Evidence,
    mut log: rekor::Log<'_>,
    memory: &Memory,
    trust: &Trust,
) -> Result<Inspected> {
    let mut inspected = Inspected::new(evidence, trust);
    let Some((id, checkpoint)) = &inspected.proof.checkpoint else {
        let why = "there is no checkpoint that the log signed";
        inspected.proof.skip("consistency", why);
        return Ok(inspected);
    };
    let compared = memory.compare(id, checkpoint, |first| log.consistency(first, checkpoint))?;
    let verdict = match compared {
        Compared::Extends(detail) => Ok(detail),
        Compared::Forked(why) => {
            inspected.forked = Some(memory.forked(id, checkpoint, &why));
            Err(why)
        }
    };
    inspected.proof.check("consistency", verdict);
    Ok(inspected)
}

/// The entry that was named, or that of the last signature made here, with the
/// bundle where it was made here.
fn of_log(
    target: &dyn Target,
    options: &EvidenceOptions,
    ask: Ask,
    trust: &Trust,
) -> Result<Inspected> {
    let mut signatures = target.signatures()?;
    if let Some(version) = options.rekor {
        signatures.retain(|signature| signature.rekor == version);
    }
    let blob = options.blob.as_deref();
    let typed = options.uuid.is_some() || options.log_index.is_some();
    let (version, which) = match (&options.uuid, options.log_index) {
        (Some(uuid), _) => (
            options.rekor.unwrap_or(Version::V1),
            Which::Uuid(uuid.clone()),
        ),
        (None, Some(index)) => (
            options.rekor.unwrap_or_else(|| target.rekor()),
            Which::Index(index),
        ),
        (None, None) => {
            let last = signatures.last().ok_or_else(nothing_signed)?;
            if ask == Ask::Nobody {
                let gone = || {
                    let bundle = last.bundle.display();
                    broken(format!(
                        "the bundle {bundle} is gone, or holds another signature"
                    ))
                    .hint("what the log says: cargo xtask inspect-rekor")
                };
                let evidence = remembered(last, blob)?.ok_or_else(gone)?;
                return Ok(Inspected::offline(evidence, trust, "the log was not asked"));
            }
            if let Some(lost) = target.lost(last)? {
                return Err(lost.into());
            }
            (last.rekor, Which::Index(last.log_index))
        }
    };
    let memory = Memory::read(&target.dir())?;
    let reached = target.reach_rekor(version)?;
    let (entry, log) = rekor::fetch(version, &reached.server, &which)?;
    let here =
        |signature: &&Signature| signature.rekor == version && signature.log_index == entry.index;
    let signature = signatures.iter().rfind(here);
    let kept = match signature {
        Some(signature) => remembered(signature, blob)?,
        None => None,
    };
    // What was typed is about the entry, whatever was signed here.
    let same = |kept: &Evidence| {
        let held = kept
            .bundle
            .as_ref()
            .and_then(|bundle| bundle.entry.as_ref());
        !typed || held.is_some_and(|held| held.canonical == entry.canonical)
    };
    let kept = kept.filter(same).unwrap_or_default();
    let evidence = Evidence {
        shown: Some(entry),
        ..kept
    };
    remembering(evidence, log, &memory, trust)
}

/// What was kept of a signature made here; `None` where its bundle is gone, or the
/// file was signed again and the bundle is that of the other signature.
fn remembered(signature: &Signature, blob: Option<&Path>) -> Result<Option<Evidence>> {
    let Some(text) = state::read(&signature.bundle)? else {
        return Ok(None);
    };
    let bundle = bundle::read(&text)?;
    let entry = bundle.entry.as_ref();
    if entry.map(|entry| (entry.rekor, entry.index)) != Some((signature.rekor, signature.log_index))
    {
        return Ok(None);
    }
    let subject = match (blob, signature.image) {
        (Some(file), _) => Some(subject_file(file)?),
        (None, true) => signature
            .artifact
            .rsplit_once('@')
            .map(|(_, digest)| Subject {
                name: signature.artifact.clone(),
                digest: digest.to_owned(),
                bytes: None,
            }),
        (None, false) => {
            let file = Path::new(&signature.artifact);
            file.is_file().then(|| subject_file(file)).transpose()?
        }
    };
    Ok(Some(Evidence {
        subject,
        bundle: Some(bundle),
        shown: None,
    }))
}

fn nothing_signed() -> Fail {
    not_so("nothing has been signed here yet").hint("cargo xtask sign")
}
