//! `prefetch`: all that is needed from a network, before there is none.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Changed, PlanOptions};
use crate::fail::broken;
use crate::local::pack;
use crate::plan::Plan;
use crate::target::{ClusterOptions, Target};

/// Fetch and build what the target needs, so that later no network is needed
#[derive(Debug, Args)]
pub(crate) struct PrefetchCommand {
    /// Pack the built servers into one archive as well, for machines without Go and network
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Take the servers out of such an archive, and build nothing
    #[arg(long, value_name = "FILE", conflicts_with = "pack")]
    unpack: Option<PathBuf>,
    /// The SHA-256 that the archive must have, as --pack said it
    #[arg(long, value_name = "sha256:…", requires = "unpack")]
    digest: Option<String>,
    /// What a cluster is given.
    #[command(flatten)]
    options: ClusterOptions,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct Prefetched {
    #[serde(flatten)]
    changed: Changed,
    /// The images that pods need, where anything runs in pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack: Option<Packed>,
}

/// The archive that was made.
#[derive(Serialize)]
struct Packed {
    file: PathBuf,
    digest: String,
}

impl PrefetchCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let (packed, unpacked) = self.archives()?;
        let build = |target: &dyn Target| match (&packed, &unpacked) {
            (None, None) => target.prefetch(&self.options),
            (Some(archive), _) => self.without_options(target, target.pack(archive)?),
            (_, Some(archive)) => self.without_options(target, target.unpack(archive)?),
        };
        let Some((target, changed)) = app.change("prefetch", &self.plan, build)? else {
            return Ok(Answer::printed());
        };
        app.ui.say(if changed.changed {
            "everything is here that can be fetched in advance"
        } else {
            "nothing to do: everything is here that can be fetched in advance"
        });
        let pack = packed.map(|file| say_packed(app, file)).transpose()?;
        let images = target.images()?;
        if let Some(images) = images.as_ref().filter(|images| images.left_to_cluster) {
            app.ui
                .say("the cluster itself fetches these images, or has them already:");
            for image in &images.names {
                app.ui.say(format!("  {image}"));
            }
        }
        let images = images.map(|images| images.names);
        if pack.is_none() {
            app.ui.next("cargo xtask install");
            if !app.ui.style().quiet {
                let chapters = app.ui.with_prefix("cargo xtask next");
                app.ui.say(format!("or, chapter by chapter: {chapters}"));
            }
        }
        Ok(Answer::result(Prefetched {
            changed,
            images,
            pack,
        }))
    }

    /// The same plan, where the options are those that the target can do with.
    fn without_options(&self, target: &dyn Target, plan: Plan) -> Result<Plan> {
        target.prefetch(&self.options)?;
        Ok(plan)
    }

    /// The archive to make and the one to unpack, of which there is at most one, as absolute
    /// paths: the one can be written, and the other is there, with the digest that was named.
    fn archives(&self) -> Result<(Option<PathBuf>, Option<PathBuf>)> {
        let absolute =
            |file: &Option<PathBuf>| file.as_deref().map(std::path::absolute).transpose();
        let (packed, unpacked) = (absolute(&self.pack)?, absolute(&self.unpack)?);
        if let Some(file) = &packed {
            let dir = file.parent().is_some_and(Path::is_dir);
            if file.is_dir() || !dir {
                let what = format!("no archive can be written to {}", file.display());
                return Err(broken(what)
                    .hint("name a file in a directory that is there")
                    .into());
            }
        }
        if let Some(file) = &unpacked {
            if !file.is_file() {
                let what = format!("there is no archive at {}", file.display());
                return Err(broken(what)
                    .hint(
                        "make one on a machine of the same kind: cargo xtask prefetch --pack FILE",
                    )
                    .into());
            }
            self.require_digest(file)?;
        }
        Ok((packed, unpacked))
    }

    fn require_digest(&self, file: &Path) -> Result<()> {
        let Some(typed) = &self.digest else {
            return Ok(());
        };
        let wanted = typed.strip_prefix("sha256:").unwrap_or(typed);
        let found = pack::digest(file)?;
        if !wanted.eq_ignore_ascii_case(&found) {
            let what = format!("{} has the digest sha256:{found}", file.display());
            return Err(broken(what)
                .hint("it is not the archive that was packed: copy it once more")
                .into());
        }
        Ok(())
    }
}

/// Says what was packed, and what to type on the other machines.
fn say_packed(app: &App, file: PathBuf) -> Result<Packed> {
    let digest = format!("sha256:{}", pack::digest(&file)?);
    app.ui.say(format!("packed {}", file.display()));
    app.ui.say(format!("  digest  {digest}"));
    app.ui
        .say("on each of the others, in a checkout of the same commit:");
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = crate::text::quote(&name);
    app.ui.say(format!(
        "  cargo xtask prefetch --unpack {name} --digest {digest}"
    ));
    Ok(Packed { file, digest })
}
