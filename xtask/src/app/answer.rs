//! The one way in which commands answer.

use serde::Serialize;
use serde_json::{Value, json};

use crate::exec::interrupt;
use crate::fail::Fail;
use crate::ui::Ui;
use crate::walkthrough::Milestone;

/// What a command came to. What a person reads was printed on the way.
pub(crate) struct Answer {
    body: Body,
    refusal: Option<Fail>,
    /// What a chapter asks for, where the command did it.
    pub(crate) milestone: Option<Milestone>,
}

/// What a script reads.
enum Body {
    /// Nothing more: everything was printed as it came.
    Printed,
    /// The fields of the last event, `result`.
    Result(Value),
    /// One document on its own.
    Document(Value),
    /// The refusal as the last event.
    Refusal,
}

impl Answer {
    /// Everything that there is to say was printed as it came.
    pub(crate) fn printed() -> Answer {
        Answer::with(Body::Printed)
    }

    /// The fields of the `result`.
    pub(crate) fn result(fields: impl Serialize) -> Answer {
        Answer::with(Body::Result(json!(fields)))
    }

    /// A document on its own, with no `result` around it.
    pub(crate) fn document(document: impl Serialize) -> Answer {
        Answer::with(Body::Document(json!(document)))
    }

    /// The answer is "no", with nothing to add.
    pub(crate) fn no(fail: Fail) -> Answer {
        Answer {
            refusal: Some(fail),
            ..Answer::with(Body::Refusal)
        }
    }

    /// The answer is "no" where there is a failure; what is printed for scripts says so
    /// already.
    pub(crate) fn but(mut self, refusal: Option<Fail>) -> Answer {
        self.refusal = refusal;
        self
    }

    /// The command did what a chapter asks for.
    pub(crate) fn milestone(mut self, milestone: impl Into<Option<Milestone>>) -> Answer {
        self.milestone = milestone.into();
        self
    }

    fn with(body: Body) -> Answer {
        Answer {
            body,
            refusal: None,
            milestone: None,
        }
    }

    /// Prints it as the end of a command, and returns the exit status.
    pub(crate) fn print(self, command: &str, ui: &Ui) -> u8 {
        let exit = |fail: &Fail| interrupt::exit_status().unwrap_or(fail.exit);
        match (self.body, &self.refusal) {
            (Body::Refusal, Some(fail)) => {
                let exit = exit(fail);
                let fail = Fail {
                    exit,
                    ..fail.clone()
                };
                ui.result(command, Err(&fail));
                return exit;
            }
            (Body::Result(fields), Some(fail)) if ui.style().json => {
                let fail = Fail {
                    exit: exit(fail),
                    ..fail.clone()
                };
                ui.partly(command, fields, &fail);
            }
            (Body::Result(fields), _) => ui.result(command, Ok(fields)),
            (Body::Document(document), _) => drop(ui.event(&document)),
            (Body::Printed | Body::Refusal, _) => {}
        }
        let Some(fail) = self.refusal else { return 0 };
        if !ui.style().json {
            ui.error(&fail);
        }
        exit(&fail)
    }

    /// Prints it as a part of another command: the document only. The refusal is left
    /// to that command.
    pub(crate) fn print_within(self, ui: &Ui) -> Option<Fail> {
        if let Body::Document(document) = &self.body {
            ui.event(document);
        }
        self.refusal
    }
}
