// What the portal does more comfortably with a script. Every page works without it: the buttons
// that are pressed here are buttons of forms, and the server answers them with whole pages.
"use strict";

(() => {
  const editor = document.querySelector("form[data-editor]");

  // The secret stays in the page until the form is saved: asking what a line means sends none.
  const secrets = ["access_key_id", "secret_access_key", "session_token"];

  function asked(what) {
    const data = new FormData(editor);
    for (const name of secrets) data.delete(name);
    data.set("do", what);
    return new URLSearchParams(data);
  }

  let latest = 0;
  let running = null;

  async function ask(what) {
    const turn = ++latest;
    running?.abort();
    running = new AbortController();
    let text;
    try {
      const answer = await fetch(editor.action, {
        method: "POST",
        body: asked(what),
        headers: { "X-Live": "1" },
        redirect: "error",
        signal: running.signal,
      });
      if (!answer.ok && answer.status !== 422) return;
      text = await answer.text();
    } catch {
      return; // A later question, or no network: the button "Check" says what is wrong.
    }
    if (turn !== latest) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const place of editor.querySelectorAll("[data-live]")) {
      const told = page.getElementById(place.id);
      // What stays as it is is not read out again.
      if (told && told.innerHTML !== place.innerHTML) {
        place.replaceChildren(...Array.from(told.childNodes, (node) => document.importNode(node, true)));
      }
    }
    if (what === "try") document.getElementById("attempt").scrollIntoView({ block: "nearest" });
    for (const field of editor.querySelectorAll("input[aria-describedby]:not([type=checkbox])")) {
      const told = page.getElementById(field.id);
      if (told && !secrets.includes(field.id)) {
        if (told.getAttribute("aria-invalid") === "true") field.setAttribute("aria-invalid", "true");
        else field.removeAttribute("aria-invalid");
      }
    }
  }

  let timer = 0;
  function askSoon() {
    clearTimeout(timer);
    timer = setTimeout(ask, 250, "check");
  }

  function renumber(list) {
    [...list.children].forEach((row, at) => {
      row.querySelector("[data-number]").textContent = String(at + 1);
      const group = row.querySelector("[role=group]");
      group.setAttribute("aria-label", group.getAttribute("aria-label").replace(/\d+$/, String(at + 1)));
      const remove = row.querySelector("[data-remove]");
      remove.setAttribute("aria-label", remove.getAttribute("aria-label").replace(/\d+$/, String(at + 1)));
    });
  }

  function nextNumber(list) {
    const numbers = [...list.querySelectorAll("input[data-rule]")].map((input) => Number(input.name.split(".")[1]));
    return Math.max(-1, ...numbers) + 1;
  }

  function add(name, after) {
    const list = editor.querySelector(`[data-list="${name}"]`);
    const row = editor.querySelector(`[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
    const number = String(nextNumber(list));
    for (const part of [row, ...row.querySelectorAll("*")]) {
      for (const attribute of part.attributes) {
        attribute.value = attribute.value.replaceAll("__N__", number);
      }
    }
    if (after) after.after(row);
    else list.append(row);
    renumber(list);
    row.querySelector("input[data-rule]").focus();
  }

  function remove(row) {
    const list = row.parentElement;
    const name = list.dataset.list;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    renumber(list);
    const to = next ? next.querySelector("input[data-rule]") : editor.querySelector(`[data-add="${name}"]`);
    to.focus();
    askSoon();
  }

  if (editor) {
    editor.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const does = button.dataset;
      if ("add" in does) add(does.add);
      else if ("remove" in does) remove(button.closest("[data-row]"));
      else if ("try" in does) ask("try");
      else return;
      event.preventDefault();
    });
    editor.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      if (event.target.matches("input[data-rule]")) {
        const row = event.target.closest("[data-row]");
        add(row.parentElement.dataset.list, row);
      } else if (event.target.id === "try_path") ask("try");
      else return;
      event.preventDefault();
    });
    editor.addEventListener("input", (event) => {
      for (const mirror of editor.querySelectorAll(`[data-mirror="${event.target.id}"]`)) {
        mirror.textContent = event.target.value;
      }
      if (!secrets.includes(event.target.id)) askSoon();
    });
    // A link to a field opens the fold that the field is in.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const field = link && document.getElementById(link.hash.slice(1));
      for (let fold = field?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      if (field && "focus" in field && field.id !== "main") {
        event.preventDefault();
        field.focus();
      }
    });
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = "Copied";
    });
  }

  // The menu closes as menus do.
  for (const menu of document.querySelectorAll("details.menu")) {
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }

  // Errors first. `autofocus` alone loses against a fragment in the address.
  document.querySelector(".summary, #tested")?.focus();
})();
