//! Steps that this program does itself: each is a type with its arguments, and has one
//! form as words.

use anyhow::Result;
use clap::Subcommand;

use super::Word;
use crate::words;

/// The arguments of a step that this program does itself.
pub trait StepArgs {
    /// The word that names it: `launch`.
    const NAME: &'static str;

    /// The words after its name.
    fn arguments(&self) -> Vec<Word>;

    /// It as a subcommand of `cargo xtask`: `step launch …`.
    fn words(&self) -> Vec<Word> {
        [words!["step", Self::NAME], self.arguments()].concat()
    }
}

/// Reads the words of a step of this list; a leading `step` is left out.
pub(crate) fn parse<S: Subcommand>(words: &[String]) -> Result<S, clap::Error> {
    let mut grammar = grammar::<S>();
    let words = match words {
        [first, rest @ ..] if first == "step" => rest,
        all => all,
    };
    let all = std::iter::once("step").chain(words.iter().map(String::as_str));
    let matches = grammar.try_get_matches_from_mut(all)?;
    S::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))
}

/// Whether these are the words of a step of this list.
pub(crate) fn is_of<S: Subcommand>(words: &[String]) -> bool {
    named(words).is_some_and(|name| S::has_subcommand(name))
}

/// The name of a step among its words.
fn named(words: &[String]) -> Option<&String> {
    words.iter().find(|word| *word != "step")
}

/// What can be typed of a list of steps.
pub(crate) fn grammar<S: Subcommand>() -> clap::Command {
    let step = clap::Command::new("step")
        .bin_name("cargo xtask step")
        .about("One step of a plan: what `--dry-run` prints for steps done in this program")
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true);
    S::augment_subcommands(step)
}

/// The steps of a target, a line each: the list that is parsed, and that runs each with
/// its own `run(self, &target, report)`.
#[macro_export]
macro_rules! steps {
    ($(#[$about:meta])* $list:ident of $target:ty { $($variant:ident($step:ty),)+ }) => {
        $(#[$about])*
        #[derive(Debug, PartialEq, clap::Subcommand)]
        pub(crate) enum $list {
            $(#[allow(missing_docs)] $variant($step),)+
        }

        $(
            #[cfg(test)]
            impl From<$step> for $list {
                fn from(step: $step) -> $list {
                    $list::$variant(step)
                }
            }
        )+

        impl $list {
            /// Does this step, and returns what it made.
            pub(crate) fn run(
                self,
                target: &$target,
                report: &dyn Fn($crate::plan::StepEvent<'_>),
            ) -> anyhow::Result<$crate::plan::StepValue> {
                match self {
                    $($list::$variant(step) => {
                        let made = step.run(target, report)?;
                        Ok(Box::new(made))
                    })+
                }
            }

            /// It as a subcommand of `cargo xtask`.
            #[cfg(test)]
            pub(crate) fn words(&self) -> Vec<$crate::plan::Word> {
                match self {
                    $($list::$variant(step) => $crate::plan::StepArgs::words(step),)+
                }
            }
        }
    };
}

/// Checks that each of these steps is what is read from its own words, and that there
/// is one of each step of the list.
#[cfg(test)]
pub(crate) fn each_is_read_from_its_words<S>(all: &[S], words: impl Fn(&S) -> Vec<Word>)
where
    S: Subcommand + PartialEq + std::fmt::Debug,
{
    use std::collections::BTreeSet;

    let mut seen = BTreeSet::new();
    for step in all {
        let words = crate::exec::resolve(&words(step), &crate::exec::Outputs::new()).unwrap();
        seen.insert(named(&words).unwrap().clone());
        assert_eq!(parse::<S>(&words).unwrap(), *step, "{words:?}");
    }
    let list = grammar::<S>();
    let names = list
        .get_subcommands()
        .map(|step| step.get_name().to_owned());
    assert_eq!(seen, names.collect(), "each step of the list is read once");
}
