//! `log`: what is in a log, and of whom.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App};
use crate::artifact::Artifact;
use crate::evidence::{TrustPolicy, image_entries};
use crate::exec::interrupt;
use crate::fail::{Fail, broken, not_so};
use crate::format::hashing::Hashing;
use crate::format::hex::hex;
use crate::listing::{self, ArtifactFilter, Filter, Listed, LogChoice, LogReader};
use crate::proof::policy::Policy;
use crate::target::{SignerArgs, Target};
use crate::text::{counted, printable};
use crate::ui::is_read;

/// How often a log is asked whether it has grown.
const EVERY: Duration = Duration::from_secs(1);

/// So long after its entry came a signature may still be on its way into the memory of those
/// that were made here.
const GRACE: Duration = Duration::from_secs(10);

/// List what is in a log, and prove that the log signed exactly that
#[derive(Debug, Args)]
// A log lists names, not keys.
#[command(mut_arg("key", |key| key.hide(true)))]
#[command(after_help = "Examples:
  cargo xtask log
  cargo xtask log --identity alice@example.com --since 1h
  cargo xtask log --follow --alert --identity alice@example.com")]
pub(crate) struct LogCommand {
    /// Which log [default: the newest Rekor that runs]
    #[arg(long, value_enum)]
    rekor: Option<LogChoice>,
    /// Of these signers only.
    #[command(flatten)]
    signer: SignerArgs,
    /// Of this file, image or digest only
    #[arg(long, value_name = "FILE|IMAGE|DIGEST")]
    artifact: Option<String>,
    /// Not older than this: a time, or how long ago: 1h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Go on as it grows
    #[arg(short, long)]
    follow: bool,
    /// End with exit status 1 at the first entry that is listed and was not made here
    #[arg(long, requires = "follow")]
    alert: bool,
}

/// A line of the list, for a script.
#[derive(Serialize)]
struct ListedEntry<'a> {
    event: &'static str,
    #[serde(flatten)]
    listed: &'a Listed,
}

#[derive(Serialize)]
struct Read {
    listed: usize,
    proved: Vec<String>,
}

impl LogCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let target = app.target()?;
        let target = target.as_ref();
        let choice = self.rekor.unwrap_or(match target.rekor() {
            crate::entry::Version::V1 => LogChoice::V1,
            crate::entry::Version::V2 => LogChoice::V2,
        });
        self.refuse_mistakes(choice)?;
        let trust = TrustPolicy::of_installation(&target.trusted_root()?, Policy::default())?;
        let filter = Filter {
            policy: self.signer.policy()?,
            artifact: self.of_artifact(target, &trust)?,
            since: self.since.as_deref().map(listing::since).transpose()?,
        };
        let _watch = interrupt::watch();
        let sources = listing::sources(choice, target, &trust.root)?;
        let mut readers: Vec<_> = sources.iter().map(LogReader::new).collect();
        let mut listed = 0;
        let (mut first, mut waits, mut read_on) = (true, false, true);
        loop {
            let mut proved = Vec::new();
            for reader in &mut readers {
                let mut show = |one: Listed| {
                    if filter.holds(&one) && !interrupt::interrupted() {
                        listed += 1;
                        read_on &= say(app, &one);
                        // What was there before the watch began is for the reader to judge.
                        if self.alert && !first && !made_here(target, &one)? {
                            return Err(not_so(alarm(&one)).into());
                        }
                    }
                    Ok(())
                };
                match reader.read(target, &trust.root, &mut show) {
                    // A log that is started again goes on where it was.
                    Err(error) if !first && is_unanswered(&error) => {
                        if !std::mem::replace(&mut waits, true) {
                            let why = Fail::from_error(&error).what;
                            app.ui.note(format!("{why}; waiting for it"));
                        }
                    }
                    read => {
                        proved.extend(read?);
                        waits = false;
                    }
                }
            }
            if !self.follow {
                let what = counted(listed as u64, "entry is listed", "entries are listed");
                app.ui.note(what);
                proved.iter().for_each(|line| app.ui.note(line));
                return Ok(Answer::result(Read { listed, proved }));
            }
            first = false;
            if !read_on || !waited() {
                return Ok(Answer::result(Read { listed, proved }));
            }
        }
    }

    /// Fails where what was asked for can only be a mistake.
    fn refuse_mistakes(&self, choice: LogChoice) -> Result<(), Fail> {
        if self.signer.key.is_some() {
            return Err(broken("a log lists names, not keys"));
        }
        if self.artifact.is_some() && choice == LogChoice::Ct {
            return Err(
                broken("the CT log holds certificates, and knows no artifact")
                    .hint("the logs of Rekor do: --rekor v2, or --rekor v1"),
            );
        }
        if self.alert && (choice == LogChoice::Ct || !self.signer.is_given()) {
            return Err(broken("--alert watches the entries of a name in Rekor")
                .hint("say whose: --identity NAME"));
        }
        Ok(())
    }

    fn of_artifact(
        &self,
        target: &dyn Target,
        trust: &TrustPolicy,
    ) -> Result<Option<ArtifactFilter>> {
        let Some(word) = &self.artifact else {
            return Ok(None);
        };
        let mut of = ArtifactFilter::default();
        let digest = word.strip_prefix("sha256:").unwrap_or(word);
        if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            of.digests
                .insert(format!("sha256:{}", digest.to_ascii_lowercase()));
            return Ok(Some(of));
        }
        match Artifact::named(word, || target.sample())? {
            Artifact::Blob { file, .. } => {
                for hashing in [Hashing::Sha256, Hashing::Sha384, Hashing::Sha512] {
                    let opened = std::fs::File::open(Path::new(&file))?;
                    let digest = hashing.digest_of(opened, |_| {})?;
                    of.digests
                        .insert(format!("{}:{}", hashing.name(), hex(&digest)));
                }
            }
            Artifact::Image(image) => {
                for (version, index) in image_entries(target, &image, trust)? {
                    of.add(version, index);
                }
            }
        }
        Ok(Some(of))
    }
}

/// Waits until the log may have grown; `false` where it was interrupted, or nobody reads on.
fn waited() -> bool {
    let until = Instant::now() + EVERY;
    while Instant::now() < until {
        if interrupt::interrupted() || !is_read(Duration::from_millis(50)) {
            return false;
        }
    }
    true
}

/// Whether a log did not answer, or not yet, as while it is started again.
fn is_unanswered(error: &anyhow::Error) -> bool {
    let what = Fail::from_error(error).what;
    what.starts_with("no answer from ") || what.contains(" answers 5")
}

/// `false` where nobody reads on.
fn say(app: &App, one: &Listed) -> bool {
    let told = app.ui.event(&ListedEntry {
        event: "entry",
        listed: one,
    });
    let none = || "-".to_owned();
    let time = one.time.clone().unwrap_or_else(none);
    let who = match one.identities.first() {
        Some(name) => printable(name),
        None => "a key without a name".to_owned(),
    };
    let what = one.what.as_deref().map_or_else(none, shortened);
    let kind = one.kind.split(' ').next().unwrap_or_default();
    let (index, kind) = (one.index, printable(kind));
    let mut read_on = app
        .ui
        .say(format!("{index:>6}  {time}  {who}  {what}  {kind}"));
    if let Some(why) = &one.not_issued {
        let nobody = "no authority of the trusted root issued it";
        let why = why.strip_prefix(nobody).unwrap_or(why);
        let why = Some(why).filter(|why| !why.is_empty());
        let why = why.map_or_else(String::new, |why| format!(": {}", printable(why)));
        read_on = app.ui.say(format!("        {nobody}{why}"));
    }
    told && read_on
}

/// A digest, as short as it can be told from others at a glance.
fn shortened(digest: &str) -> String {
    match digest.split_once(':') {
        Some((kind, hex)) if hex.len() > 8 && hex.is_ascii() => format!("{kind}:{}…", &hex[..8]),
        _ => digest.to_owned(),
    }
}

/// Whether a signature was made here. One that is being made is remembered a little later
/// than the log has it.
fn made_here(target: &dyn Target, one: &Listed) -> Result<bool> {
    let until = Instant::now() + GRACE;
    loop {
        let made = target.signatures()?;
        let known = made.iter().any(|signature| {
            Some(signature.rekor) == one.log.rekor() && signature.log_index == one.index
        });
        if known || interrupt::interrupted() {
            return Ok(true);
        }
        if Instant::now() > until {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn alarm(one: &Listed) -> String {
    let who = one.identities.first().map_or("a key", String::as_str);
    let issued = match &one.not_issued {
        Some(_) => ", with a certificate that Fulcio did not issue",
        None => "",
    };
    format!(
        "entry {} of {} is in the name of {who}, and was not made here{issued}",
        one.index,
        one.log.title()
    )
}
