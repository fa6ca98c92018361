// What the book needs beside mdBook: blocks in which what is typed and what is printed
// look different and only the one is copied, and themes for a room.

"use strict";

(() => {
  // A command begins behind a prompt and goes on as long as its lines end in a backslash.
  function parts(text) {
    const parts = [];
    let typing = false;
    for (const line of text.replace(/\n$/, "").split("\n")) {
      const typed = typing || line.startsWith("$ ");
      if (typing || (!typed && parts.at(-1)?.typed === false)) {
        parts.at(-1).text += "\n" + line;
      } else {
        parts.push({ typed, text: typed ? line.slice(2) : line });
      }
      typing = typed && line.endsWith("\\");
    }
    return parts;
  }

  for (const code of document.querySelectorAll("pre > code.language-console")) {
    const spans = parts(code.textContent).map(({ typed, text }) => {
      const span = document.createElement("span");
      span.className = typed ? "command" : "output";
      if (typed) span.innerHTML = hljs.highlight("bash", text, true).value;
      else span.textContent = text;
      return span;
    });
    code.replaceChildren(...spans);
  }

  // What mdBook's button copies of a block.
  const all = window.playground_text;
  window.playground_text = (pre, hidden) => {
    const commands = [...pre.querySelectorAll(".command")];
    if (commands.length === 0) return all(pre, hidden);
    return commands.map((command) => command.textContent).join("\n");
  };

  // A keyboard scrolls only what it can reach, and an eye sees that there is more.
  const more = ({ scrollLeft, clientWidth, scrollWidth, parentElement }) =>
    parentElement.classList.toggle("more", scrollLeft + clientWidth < scrollWidth - 1);
  const reach = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
      if (target.matches("pre > code")) more(target);
    }
  });
  document.querySelectorAll(".table-wrapper, pre > code").forEach((one) => reach.observe(one));
  document
    .querySelectorAll("pre > code")
    .forEach((one) => one.addEventListener("scroll", () => more(one), { passive: true }));

  // Whoever has chosen a target need not see what is for the other one. The line that leads
  // to a block goes with it.
  const TARGETS = { "": "both targets", local: "local target", cluster: "cluster" };
  for (const target of ["local", "cluster"]) {
    for (const code of document.querySelectorAll(`pre > code.${target}`)) {
      code.parentElement.classList.add(`for-${target}`);
      const lead = code.parentElement.previousElementSibling;
      if (lead?.matches("p") && /^On .*:$/s.test(lead.textContent)) {
        lead.classList.add(`for-${target}`);
      }
    }
  }
  if (document.querySelector(".for-local, .for-cluster")) {
    const choice = document.createElement("select");
    choice.id = "target-choice";
    choice.title = "Show the commands of one target";
    choice.setAttribute("aria-label", choice.title);
    for (const [value, text] of Object.entries(TARGETS)) choice.add(new Option(text, value));
    const show = (target) => {
      choice.value = target in TARGETS ? target : "";
      document.documentElement.dataset.target = choice.value;
    };
    // A browser may be told to keep nothing.
    const remembered = (act) => {
      try {
        return act(window.localStorage);
      } catch {
        return null;
      }
    };
    show(remembered((kept) => kept.getItem("workshop-target")) ?? "");
    choice.addEventListener("change", () => {
      show(choice.value);
      remembered((kept) => kept.setItem("workshop-target", choice.value));
    });
    document.querySelector("#mdbook-menu-bar .right-buttons")?.prepend(choice);
  }

  // The label that opens the list of chapters is a button, for those who see none.
  const toggle = document.getElementById("mdbook-sidebar-toggle");
  toggle.setAttribute("role", "button");
  toggle.tabIndex = 0;
  toggle.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      toggle.click();
    }
  });

  // Where one looks for a word has a name for everybody.
  const search = document.getElementById("mdbook-searchbar");
  search?.setAttribute("aria-label", "Search this book");
  search?.setAttribute("aria-describedby", "mdbook-searchresults-header");

  // One light theme and one dark one, which the rest of the book is made for.
  for (const theme of ["rust", "coal", "ayu"]) {
    document.getElementById(`mdbook-theme-${theme}`)?.closest("li").remove();
  }
  const dark = document.getElementById("mdbook-theme-navy");
  if (dark) dark.textContent = "Dark";
})();
