//! The pictures: each can be read by machines and by people who do not see it, needs
//! nothing from elsewhere, is shown by a page, and is drawn by a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use roxmltree::{Document, Node};
use xtask::commands::Cli;

use crate::support::browser::CHROMIUM;
use crate::support::repo::repository;
use crate::support::run::program;
use crate::support::skip::skipped;

const SVG: &str = "http://www.w3.org/2000/svg";

fn files(dir: &str, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(dir)).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == end))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The pictures, and what is in their files.
fn pictures() -> Vec<(String, String)> {
    let pictures: Vec<(String, String)> = files("img", "svg")
        .iter()
        .map(|path| (name(path), std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(pictures.len() >= 3, "{} pictures", pictures.len());
    pictures
}

fn parsed<'a>(name: &str, text: &'a str) -> Document<'a> {
    Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text_of(node: Node<'_, '_>) -> String {
    node.descendants()
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}

#[test]
fn every_picture_says_what_it_shows() {
    for (name, text) in pictures() {
        let document = parsed(&name, &text);
        let root = document.root_element();
        assert!(root.has_tag_name((SVG, "svg")), "{name}");
        assert_eq!(root.attribute("role"), Some("img"), "{name}");
        let labels = root.attribute("aria-labelledby").unwrap_or_default();
        for kind in ["title", "desc"] {
            let told = root
                .children()
                .find(|node| node.has_tag_name((SVG, kind)))
                .unwrap_or_else(|| panic!("{name} has no {kind}"));
            assert!(!text_of(told).trim().is_empty(), "{name}: empty {kind}");
            let id = told.attribute("id").unwrap_or_default();
            assert!(
                labels.split(' ').any(|label| label == id),
                "{name}: {kind} is not one of its labels"
            );
        }
    }
}

/// Where a style or an attribute refers to, `url(…)`.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split("url(").skip(1)
}

/// A picture on a page may not run anything nor load anything, and pages that show one
/// forbid it anyway.
#[test]
fn no_picture_needs_anything_from_elsewhere() {
    for (name, text) in pictures() {
        for node in parsed(&name, &text).descendants().filter(Node::is_element) {
            let tag = node.tag_name();
            assert_eq!(tag.namespace(), Some(SVG), "{name}: {}", tag.name());
            let forbidden = ["script", "foreignObject", "image"];
            assert!(!forbidden.contains(&tag.name()), "{name}: {}", tag.name());
            if tag.name() == "style" {
                let style = text_of(node);
                assert!(!style.contains("@import"), "{name}: @import");
                assert!(urls(&style).all(|url| url.starts_with('#')), "{name}");
            }
            for attribute in node.attributes() {
                let (key, value) = (attribute.name(), attribute.value());
                assert!(!key.starts_with("on"), "{name}: {key}");
                assert!(key != "href" || value.starts_with('#'), "{name}: {value}");
                assert!(
                    urls(value).all(|url| url.starts_with('#')),
                    "{name}: {value}"
                );
            }
        }
    }
}

#[test]
fn every_picture_is_shown_by_a_page() {
    let mut pages = files("docs", "md");
    pages.push(repository().join("README.md"));
    let pages: Vec<String> = pages
        .iter()
        .map(|page| std::fs::read_to_string(page).unwrap())
        .collect();
    for (name, _) in pictures() {
        let target = format!("img/{name})");
        assert!(
            pages.iter().any(|page| page.contains(&target)),
            "no page shows img/{name}"
        );
    }
}

/// What `img/record` recorded once must still be what a reader can type.
#[test]
fn the_recording_shows_commands_that_exist() {
    let file = repository().join("img/recording.svg");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.len() < 300_000, "{} bytes", text.len());
    let document = parsed("recording.svg", &text);
    let typed: Vec<String> = document
        .descendants()
        .filter(|node| {
            let mut classes = node.attribute("class").unwrap_or_default().split(' ');
            classes.any(|class| class == "command")
        })
        .map(text_of)
        .collect();
    assert!(typed.len() >= 4, "{typed:?}");
    for line in typed {
        let words = line
            .strip_prefix("$ cargo xtask ")
            .and_then(shlex::split)
            .unwrap_or_else(|| panic!("not a command: {line}"));
        let all = std::iter::once("cargo xtask".to_owned()).chain(words);
        if let Err(error) = Cli::try_parse_from(all) {
            panic!("{line}\n{error}");
        }
    }
}

#[test]
fn every_picture_is_drawn() {
    let Some(chromium) = program(&CHROMIUM) else {
        return skipped("chromium on the PATH");
    };
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    let missing = repository().join("img/missing.svg");
    let images: String = files("img", "svg")
        .iter()
        .chain([&missing])
        .map(|path| format!("<img src=\"file://{}\">", path.display()))
        .collect();
    // The load event comes after all of them; one that cannot be drawn has no size.
    let script = "addEventListener('load', () => { for (const image of [...document.images]) \
         image.outerHTML = `<p>${image.src.split('/').pop()} \
         ${image.naturalWidth}x${image.naturalHeight}</p>\n`; })";
    std::fs::write(&page, format!("<script>{script}</script>{images}")).unwrap();
    let ended = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--no-first-run", "--dump-dom"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
        ])
        .arg(format!(
            "--user-data-dir={}",
            dir.path().join("profile").display()
        ))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let size = |name: &str| -> Option<&str> {
        let (_, rest) = said.split_once(&format!("<p>{name} "))?;
        rest.split('<').next()
    };
    // Without this one a browser that draws nothing would pass as well.
    assert_eq!(size("missing.svg"), Some("0x0"), "{said}");
    for (name, text) in pictures() {
        let document = parsed(&name, &text);
        let root = document.root_element();
        let expected = ["width", "height"].map(|side| root.attribute(side).unwrap_or_default());
        assert_eq!(size(&name), Some(expected.join("x").as_str()), "{name}");
    }
}
