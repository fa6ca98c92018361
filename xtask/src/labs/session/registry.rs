//! What a lab does to its registry.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Session, end, lines};
use crate::fail::broken;
use crate::text::quote;

impl Session<'_> {
    /// Pushes an image with this text and returns it by digest.
    pub(crate) fn push(&self, tag: &str, text: &str) -> Result<String> {
        let program = Path::new(self.env("WORKSHOP_COSIGN")?).with_file_name("loopback");
        let image = format!("{}/{tag}", self.env("WORKSHOP_REGISTRY")?);
        self.say(&format!("\n# the image {image} holds now: {text}"));
        let mut push = Command::new(program);
        push.args(["sample", "--text", text, "--ca-cert"]);
        push.arg(self.env("WORKSHOP_REGISTRY_CA")?).arg(&image);
        let ended = end(push)?;
        if ended.code != Some(0) {
            return Err(broken("the image cannot be pushed")
                .tail(lines(&ended.err))
                .into());
        }
        Ok(ended.out.trim().to_owned())
    }

    /// Copies what the registry keeps of the signatures of one image to another of the
    /// same repository, both by digest.
    pub(crate) fn copy_signatures(&self, from: &str, to: &str) -> Result<()> {
        let address = |image: &str| {
            let (name, digest) = image.split_once('@')?;
            let (host, name) = name.split_once('/')?;
            let tag = digest.replace(':', "-");
            Some(format!("https://{host}/v2/{name}/manifests/{tag}"))
        };
        let (from, to) = address(from)
            .zip(address(to))
            .context("two images by digest")?;
        let index = self.file("signatures.json");
        let kind = "application/vnd.oci.image.index.v1+json";
        let file = index.to_string_lossy().into_owned();
        self.curl(&[
            "--header",
            &format!("Accept: {kind}"),
            "--output",
            &file,
            &from,
        ])?;
        let content = format!("Content-Type: {kind}");
        let data = format!("@{file}");
        self.curl(&[
            "--request",
            "PUT",
            "--header",
            &content,
            "--data-binary",
            &data,
            &to,
        ])
    }

    /// Shows and runs curl, which believes the certificate of the registry.
    pub(crate) fn curl(&self, words: &[&str]) -> Result<()> {
        let ca = self.env("WORKSHOP_REGISTRY_CA")?;
        let words = [
            &[
                "--disable",
                "--noproxy",
                "*",
                "--fail",
                "--silent",
                "--show-error",
                "--cacert",
                ca,
            ],
            words,
        ]
        .concat();
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        self.say(&format!("\n$ curl {}", quoted.join(" ")));
        let mut curl = Command::new("curl");
        curl.args(words);
        let ended = end(curl)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        Err(broken("the server refuses").tail(lines(&ended.err)).into())
    }
}
