//! `prefetch`: all that is needed from a network, before there is none.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Changed, PlanOptions};
use crate::target::{ClusterOptions, Target};

/// Fetch and build what the target needs, so that later no network is needed
#[derive(Debug, Args)]
pub(crate) struct PrefetchCommand {
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
}

impl PrefetchCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let build = |target: &dyn Target| target.prefetch(&self.options);
        let Some((target, changed)) = app.change("prefetch", &self.plan, build)? else {
            return Ok(Answer::printed());
        };
        app.ui.say(if changed.changed {
            "everything is here that can be fetched in advance"
        } else {
            "nothing to do: everything is here that can be fetched in advance"
        });
        let images = target.images()?;
        if let Some(images) = images.as_ref().filter(|images| images.left_to_cluster) {
            app.ui
                .say("the cluster itself fetches these images, or has them already:");
            for image in &images.names {
                app.ui.say(format!("  {image}"));
            }
        }
        let images = images.map(|images| images.names);
        app.ui.next("cargo xtask install");
        if !app.ui.style().quiet {
            let chapters = app.ui.with_prefix("cargo xtask next");
            app.ui.say(format!("or, chapter by chapter: {chapters}"));
        }
        Ok(Answer::result(Prefetched { changed, images }))
    }
}
