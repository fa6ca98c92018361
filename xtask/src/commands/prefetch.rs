//! `prefetch`: all that is needed from a network, before there is none.

use anyhow::Result;
use serde_json::{Value, json};

use super::App;
use super::install::change;
use crate::cli::PlanOptions;
use crate::target::ClusterOptions;

pub fn run(app: &App, options: &ClusterOptions, how: &PlanOptions) -> Result<Option<Value>> {
    let result = change(app, "prefetch", how, |target| target.prefetch(options))?;
    let Some((target, mut result)) = result else {
        return Ok(None);
    };
    app.ui.say(if result["changed"] == json!(true) {
        "everything is here that can be fetched in advance"
    } else {
        "nothing to do: everything is here that can be fetched in advance"
    });
    if let Some(images) = target.images()? {
        if images.left_to_cluster {
            app.ui
                .say("the cluster itself fetches these images, or has them already:");
            for image in &images.names {
                app.ui.say(format!("  {image}"));
            }
        }
        result["images"] = json!(images.names);
    }
    app.ui.next("cargo xtask install");
    Ok(Some(result))
}
