//! What must hold before a step counts as done, and the step that waits for it.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{StepArgs, StepEvent, StepRunner, Word};
use crate::words;

/// The word that stands for [`Ready::Issuer`] on a command line.
const ISSUER: &str = "issuer";

/// What must hold before a step counts as done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// A server answers a request with any 2xx.
    Http {
        /// The component whose early death ends the waiting.
        component: String,
        /// `http://127.0.0.1:17800/healthz`
        url: String,
        /// How long to wait for it.
        within: Duration,
    },
    /// A server listens.
    Tcp {
        /// The component whose early death ends the waiting.
        component: String,
        /// `tcp://127.0.0.1:17800`
        address: String,
        /// How long to wait for it.
        within: Duration,
    },
    /// Objects of a cluster are as they should be.
    Objects {
        /// Where they are.
        namespace: String,
        /// Conditions as words: `deployment/fulcio-server`.
        conditions: Vec<String>,
        /// How long to wait for them.
        within: Duration,
    },
    /// The discovery document of a cluster is one that Fulcio believes.
    Issuer {
        /// The context of kubectl that names the cluster.
        context: String,
        /// How long to wait for it.
        within: Duration,
    },
}

impl Ready {
    /// That a component answers at an address: `http://…` (any 2xx) or
    /// `tcp://host:port`.
    pub fn answers(component: impl Into<String>, address: &str, within: Duration) -> Ready {
        let (component, at) = (component.into(), address.to_owned());
        if address.starts_with("tcp://") {
            return Ready::Tcp {
                component,
                address: at,
                within,
            };
        }
        Ready::Http {
            component,
            url: at,
            within,
        }
    }

    /// That these conditions, words with spaces between them, hold in a namespace.
    pub fn objects(namespace: impl Into<String>, conditions: &str, within: Duration) -> Ready {
        Ready::Objects {
            namespace: namespace.into(),
            conditions: conditions.split_whitespace().map(str::to_owned).collect(),
            within,
        }
    }
}

/// Wait until a server answers
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Wait {
    /// Its name.
    component: String,
    /// `http://…` or `tcp://…`; on a cluster conditions, and its name a namespace
    address: String,
    /// How many seconds to wait.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    within: u64,
}

impl Wait {
    /// Waits, for a user who typed the step.
    pub(crate) fn run(self, runner: &dyn StepRunner, report: &dyn Fn(StepEvent<'_>)) -> Result<()> {
        runner.wait(&self.ready(), report)
    }

    /// The condition that its words stand for.
    pub(crate) fn ready(&self) -> Ready {
        let within = Duration::from_secs(self.within);
        let component = self.component.clone();
        match self.address.as_str() {
            ISSUER => Ready::Issuer {
                context: component,
                within,
            },
            address if address.contains("://") => Ready::answers(component, address, within),
            conditions => Ready::objects(component, conditions, within),
        }
    }
}

impl From<&Ready> for Wait {
    fn from(ready: &Ready) -> Wait {
        let (component, address, within) = match ready {
            Ready::Http {
                component,
                url,
                within,
            } => (component, url.clone(), within),
            Ready::Tcp {
                component,
                address,
                within,
            } => (component, address.clone(), within),
            Ready::Objects {
                namespace,
                conditions,
                within,
            } => (namespace, conditions.join(" "), within),
            Ready::Issuer { context, within } => (context, ISSUER.to_owned(), within),
        };
        Wait {
            component: component.clone(),
            address,
            within: within.as_secs(),
        }
    }
}

impl StepArgs for Wait {
    const NAME: &'static str = "wait";

    fn arguments(&self) -> Vec<Word> {
        let within = self.within.to_string();
        words![&self.component, &self.address, "--within", within]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_waits_for_what_was_meant() {
        let within = Duration::from_secs(7);
        let issuer = Ready::Issuer {
            context: "minikube".to_owned(),
            within,
        };
        for ready in [
            Ready::answers("dex", "http://127.0.0.1:1/healthz", within),
            Ready::answers("mysql", "tcp://127.0.0.1:1", within),
            Ready::objects("default", "deployment/a secret/b:c", within),
            issuer,
        ] {
            assert_eq!(Wait::from(&ready).ready(), ready);
        }
    }
}
