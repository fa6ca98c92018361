//! `token`: an identity token in a file, for clients that sign by themselves.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::{Answer, App, Execution, PlanOptions};
use crate::plan::{Plan, Step};
use crate::target::Target;
use crate::target::steps::Token;
use crate::walkthrough::Milestone;

/// Get an identity token, for clients that sign by themselves
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo xtask token --out token
  cargo xtask token --as bob --out token")]
pub(crate) struct TokenCommand {
    /// Whose: a user of Dex, or on a cluster a service account [default: alice, or default]
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// The file it goes to, which only you can read
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Keep the one that is there, unless it ends within two minutes
    #[arg(long)]
    renew: bool,
    /// How to run the plan.
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Serialize)]
struct Fetched {
    identity: String,
    file: PathBuf,
}

impl TokenCommand {
    pub(crate) fn run(self, app: &App) -> Result<Answer> {
        let target = app.target()?;
        let user = self.user.as_deref().unwrap_or(target.default_user());
        let identity = target.identity(user)?;
        let file = std::path::absolute(&self.out)?;
        let token = Token {
            user: user.to_owned(),
            out: file.clone(),
            renew: self.renew,
            to_sign: false,
        };
        let plan = plan(app, &identity, token);
        let Execution::Finished(_) =
            app.execute(target.as_ref() as &dyn Target, &plan, &self.plan)?
        else {
            return Ok(Answer::printed());
        };
        let name = self.out.display();
        app.ui
            .say(format!("an identity token of {identity} is in {name}"));
        Ok(Answer::result(Fetched { identity, file }).milestone(Milestone::Token))
    }
}

fn plan(app: &App, identity: &str, token: Token) -> Plan {
    let mut plan = app.plan("token");
    let title = format!("ask for an identity token of {identity}");
    plan.push(Step::new("token", title).again().xtask(token));
    plan
}
