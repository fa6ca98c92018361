//! The last word of a command: its result, or what went wrong.

use console::style;
use serde_json::{Value, json};

use super::{Ui, complain};
use crate::fail::Fail;
use crate::text::printable;

impl Ui {
    /// The last word: the JSON `result`, or the error for a person.
    pub(crate) fn result(&self, command: &str, outcome: Result<Value, &Fail>) {
        if self.style.json {
            let (ok, exit, data) = match outcome {
                Ok(data) => (true, 0, data),
                Err(fail) => (false, fail.exit, self.failure(fail)),
            };
            let result = json!({"event": "result", "command": command, "ok": ok, "exit": exit});
            let result = with(result, data);
            self.event(&result);
        } else if let Err(fail) = outcome {
            self.error(fail);
        }
    }

    /// What went wrong, for a person.
    pub(crate) fn error(&self, fail: &Fail) {
        // The tool's own words, unless it is known what they mean.
        let shown = if fail.known && !self.style.verbose {
            &[]
        } else {
            fail.tail.as_slice()
        };
        for line in shown {
            complain(&format!("  | {}", printable(line)));
        }
        complain(&format!(
            "{} {}",
            style("error:").for_stderr().red().bold(),
            printable(&fail.what)
        ));
        for hint in &fail.hints {
            complain(&format!(
                "{} {}",
                style("hint:").for_stderr().cyan(),
                self.with_prefix(hint)
            ));
        }
    }

    /// A failure as JSON: `{"error", "problem", "hints", "tail"}`.
    pub(super) fn failure(&self, fail: &Fail) -> Value {
        let hints: Vec<String> = fail
            .hints
            .iter()
            .map(|hint| self.with_prefix(hint))
            .collect();
        json!({"error": fail.what, "problem": fail.problem, "hints": hints, "tail": fail.tail})
    }
}

/// An object with the fields of another after its own.
pub(super) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(mut more)) = (object.as_object_mut(), more) {
        object.append(&mut more);
    }
    object
}
