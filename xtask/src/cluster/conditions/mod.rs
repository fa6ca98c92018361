//! The wait for what an installation produces, instead of `helm --wait`: Jobs that
//! remove themselves are not looked for, what they make is.

mod condition;
mod explain;
mod observe;
mod problems;
mod wait;

pub(crate) use condition::{Condition, ConditionKind};
pub(crate) use explain::problems_now;
pub(crate) use observe::all_hold;
pub(crate) use wait::ConditionWait;
