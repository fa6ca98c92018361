//! Texts with placeholders, which `servers.yml` and the configuration consist of.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// A text with its `{{placeholders}}` filled in.
pub(crate) fn fill(text: &str, variables: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .context("a placeholder is not closed")?;
        let value = variables
            .get(name)
            .with_context(|| format!("nothing is known for the placeholder {{{{{name}}}}}"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_mistakes_named() {
        let variables = BTreeMap::from([("dex".to_owned(), "127.0.0.1:1".to_owned())]);
        assert_eq!(
            fill("a {{dex}} b {{dex}}", &variables).unwrap(),
            "a 127.0.0.1:1 b 127.0.0.1:1"
        );
        assert!(
            fill("{{nobody}}", &variables)
                .unwrap_err()
                .to_string()
                .contains("{{nobody}}")
        );
        assert!(fill("{{dex", &variables).is_err());
    }
}
