//! What mdBook is given: the pages that `docs/SUMMARY.md` lists, and all that they
//! name. mdBook reads below one directory and shows nothing but Markdown; so what
//! lies outside `docs/` is put below `repository/`, and a file that is not a page
//! becomes one that shows it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::links::{relative, resolve, rewrite};
use crate::fail::broken;

/// Where the list of pages is.
const SUMMARY: &str = "docs/SUMMARY.md";

/// What a book needs beside its pages, from `docs/`.
const BESIDE: [&str; 3] = ["book.toml", "workshop.css", "workshop.js"];

/// The page that lists the files that became pages.
const FILES: &str = "files.md";

/// Pictures, which a page shows itself.
const PICTURES: [&str; 3] = ["svg", "png", "jpg"];

/// What is larger is listed, and not shown.
const LARGEST: u64 = 64 * 1024;

/// Writes all of it below `dir`.
pub(crate) fn gather(repo: &Path, dir: &Path) -> Result<()> {
    let mut gathered = Gathered::new(repo)?;
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut shown = Vec::new();
    let mut listed = None;
    while let Some(path) = gathered.next() {
        let file = repo.join(&path);
        // All that the summary names is known once that is read, and nothing else.
        let by_summary = listed.is_none_or(|listed| gathered.read <= listed);
        let content = if is_page(&path) {
            if !by_summary {
                shown.push(path.clone());
            }
            let page = gathered.page(&path, &text(&file)?);
            listed.get_or_insert(gathered.known.len());
            page.into_bytes()
        } else if is_picture(&path) {
            std::fs::read(&file).with_context(|| format!("read {}", file.display()))?
        } else {
            shown.push(path.clone());
            if file.is_dir() {
                gathered.listing(&path)?.into_bytes()
            } else {
                source(&path, &text(&file)?).into_bytes()
            }
        };
        files.insert(gathered.place(&path), content);
    }
    shown.sort_by_key(|path| path.split('/').map(str::to_owned).collect::<Vec<_>>());
    let summary = files.get_mut("SUMMARY.md").context("no summary")?;
    summary.extend(outline(&gathered, &shown).into_bytes());
    files.insert(FILES.to_owned(), index(&gathered, &shown).into_bytes());

    let src = dir.join("src");
    if src.exists() {
        std::fs::remove_dir_all(&src).with_context(|| format!("remove {}", src.display()))?;
    }
    for (name, content) in &files {
        write(&src.join(name), content)?;
    }
    for name in BESIDE {
        write(
            &dir.join(name),
            text(&repo.join("docs").join(name))?.as_bytes(),
        )?;
    }
    Ok(())
}

/// The files that pages name, each once.
struct Gathered<'a> {
    repo: &'a Path,
    known: Vec<String>,
    /// How many of them were read.
    read: usize,
}

impl Gathered<'_> {
    fn new(repo: &Path) -> Result<Gathered<'_>> {
        if !repo.join(SUMMARY).is_file() {
            return Err(broken(format!("there is no {SUMMARY} in {}", repo.display())).into());
        }
        Ok(Gathered {
            repo,
            known: vec![SUMMARY.to_owned()],
            read: 0,
        })
    }

    /// The next one to read.
    fn next(&mut self) -> Option<String> {
        let next = self.known.get(self.read).cloned();
        self.read += 1;
        next
    }

    fn name(&mut self, path: &str) {
        if !self.known.iter().any(|known| known == path) {
            self.known.push(path.to_owned());
        }
    }

    /// Where a file of the repository lies in the book's source.
    fn place(&self, path: &str) -> String {
        let path = match path.strip_prefix("docs/") {
            Some(path) => path.to_owned(),
            None => format!("repository/{path}"),
        };
        if let Some(dir) = path.strip_suffix("README.md")
            && (dir.is_empty() || dir.ends_with('/'))
        {
            return format!("{dir}index.md");
        }
        if is_page(&path) || is_picture(&path) {
            return path;
        }
        format!("{path}.md")
    }

    /// A page whose links lead to where the book has what they name.
    fn page(&mut self, path: &str, text: &str) -> String {
        let place = self.place(path);
        rewrite(text, |target| {
            let (file, fragment) = match target.split_once('#') {
                Some((file, fragment)) => (file, format!("#{fragment}")),
                None => (target, String::new()),
            };
            if file.is_empty() {
                return None;
            }
            let mut file = resolve(path, file)?;
            let readme = format!("{file}/README.md");
            if self.repo.join(&readme).is_file() {
                file = readme;
            }
            if !self.repo.join(&file).exists() {
                return None;
            }
            self.name(&file);
            Some(relative(&place, &self.place(&file)) + &fragment)
        })
    }

    /// A page that lists a directory.
    fn listing(&mut self, dir: &str) -> Result<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.repo.join(dir))
            .with_context(|| format!("read {dir}"))?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        names.sort();
        let place = self.place(dir);
        let mut page = format!("# `{dir}/`\n\n");
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let path = format!("{dir}/{name}");
            let file = self.repo.join(&path);
            let slash = if file.is_dir() { "/" } else { "" };
            let shows = file.is_dir()
                || file.metadata().is_ok_and(|meta| meta.len() <= LARGEST) && text(&file).is_ok();
            let _ = if shows {
                self.name(&path);
                let to = relative(&place, &self.place(&path));
                writeln!(page, "- [`{name}{slash}`]({to})")
            } else {
                writeln!(page, "- `{name}`")
            };
        }
        Ok(page)
    }
}

/// A page that shows a file as it is.
fn source(path: &str, text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let language = match path.rsplit('.').next() {
        Some("go") => "go",
        Some("rs") => "rust",
        Some("toml") => "toml",
        Some("yml") => "yaml",
        Some("json") => "json",
        _ => "text",
    };
    let text = text.trim_end();
    format!("# `{path}`\n\n{fence}{language}\n{text}\n{fence}\n")
}

/// The lines of the summary that list the files, each below its directory.
fn outline(gathered: &Gathered<'_>, shown: &[String]) -> String {
    let mut lines = format!("- [Files]({FILES})\n");
    let mut above: Vec<&str> = Vec::new();
    for path in shown {
        let below = |dir: &str| path.strip_prefix(dir)?.strip_prefix('/');
        while above.last().is_some_and(|dir| below(dir).is_none()) {
            above.pop();
        }
        let name = above.last().and_then(|dir| below(dir)).unwrap_or(path);
        let indent = "  ".repeat(above.len() + 1);
        let _ = writeln!(lines, "{indent}- [{name}]({})", gathered.place(path));
        above.push(path);
    }
    lines
}

/// The page that lists the files.
fn index(gathered: &Gathered<'_>, shown: &[String]) -> String {
    let mut page =
        "# Files\n\nThe files and directories of the repository that the pages name.\n\n"
            .to_owned();
    for path in shown {
        let _ = writeln!(page, "- [`{path}`]({})", gathered.place(path));
    }
    page
}

fn is_page(path: &str) -> bool {
    path.ends_with(".md")
}

fn is_picture(path: &str) -> bool {
    PICTURES.iter().any(|ending| {
        path.strip_suffix(ending)
            .is_some_and(|name| name.ends_with('.'))
    })
}

fn text(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    let dir = file.parent().unwrap_or(file);
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(file, content))
        .with_context(|| format!("write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_becomes_a_page_and_what_names_it_says_where() {
        let temp = tempfile::tempdir().unwrap();
        let repo = temp.path().join("repo");
        let put = |name: &str, text: &str| write(&repo.join(name), text.as_bytes()).unwrap();
        put(
            "docs/SUMMARY.md",
            "# Summary\n\n[Start](README.md)\n\n- [The other](../README.md)\n",
        );
        put(
            "docs/README.md",
            "[the other](../README.md#x) [d](../deploy/) ![p](../img/p.svg) [no](gone.md) [top](#a)\n",
        );
        put("docs/unnamed.md", "nobody names it\n");
        put(
            "README.md",
            "[docs](docs) [a](deploy/a.yml) [n](xtask/notes) [out](../../x)\n",
        );
        put("deploy/a.yml", "# ``` is no fence\na: 1\n");
        put("xtask/notes/README.md", "notes\n");
        put("deploy/.hidden", "x\n");
        put("deploy/large.sum", &"x".repeat(70_000));
        put("deploy/cmd/main.go", "package main\n");
        put("img/p.svg", "<svg/>");
        for name in BESIDE {
            put(&format!("docs/{name}"), name);
        }
        let out = temp.path().join("out");
        put("../out/src/stale.md", "from the last time\n");
        gather(&repo, &out).unwrap();

        let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        assert_eq!(
            read("src/SUMMARY.md"),
            "# Summary\n\n[Start](index.md)\n\n- [The other](repository/index.md)\n\
             - [Files](files.md)\n\
             \x20 - [deploy](repository/deploy.md)\n\
             \x20   - [a.yml](repository/deploy/a.yml.md)\n\
             \x20   - [cmd](repository/deploy/cmd.md)\n\
             \x20     - [main.go](repository/deploy/cmd/main.go.md)\n\
             \x20 - [xtask/notes/README.md](repository/xtask/notes/index.md)\n"
        );
        assert_eq!(
            read("src/index.md"),
            "[the other](repository/index.md#x) [d](repository/deploy.md) ![p](repository/img/p.svg) [no](gone.md) [top](#a)\n"
        );
        assert_eq!(
            read("src/repository/index.md"),
            "[docs](../index.md) [a](deploy/a.yml.md) [n](xtask/notes/index.md) [out](../../x)\n"
        );
        assert_eq!(
            read("src/repository/deploy.md"),
            "# `deploy/`\n\n- [`a.yml`](deploy/a.yml.md)\n- [`cmd/`](deploy/cmd.md)\n- `large.sum`\n"
        );
        assert_eq!(
            read("src/repository/deploy/a.yml.md"),
            "# `deploy/a.yml`\n\n````yaml\n# ``` is no fence\na: 1\n````\n"
        );
        assert_eq!(read("src/repository/img/p.svg"), "<svg/>");
        assert_eq!(read("book.toml"), "book.toml");
        assert!(!out.join("src/stale.md").exists());
        assert!(!out.join("src/unnamed.md").exists());
    }
}
