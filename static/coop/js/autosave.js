/* Saves a form while people write, and says so beside its button. The server decides what can be stored; without script the button saves. */
"use strict";

const PAUSE = 1500; // milliseconds after the last key
const AGAIN = 5000; // until a lost connection is tried again

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-autosave]")) saveAsWritten(form);
});

function saveAsWritten(form) {
  const said = form.querySelector("[data-saved]");
  let timer = null;
  let running = null;
  let stopped = false;

  form.addEventListener("input", (event) => {
    if (event.target.type === "file" || stopped) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(save, PAUSE);
  });

  /* A saving that is underway makes the claim newer: the button waits for it, so that one does not overtake oneself. */
  form.addEventListener("submit", (event) => {
    window.clearTimeout(timer);
    if (!running) return;
    event.preventDefault();
    const button = event.submitter;
    running.then(() => form.requestSubmit(button));
  });

  function save() {
    if (running) {
      timer = window.setTimeout(save, 300);
      return;
    }
    running = send().finally(() => { running = null; });
  }

  async function send() {
    const words = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) words.delete(input.name);
    const written = text(words);
    let answer = null;
    try {
      answer = await fetch(form.action, { method: "POST", body: words, headers: { "X-Autosave": "1" }, redirect: "error" });
    } catch {
      said.textContent = "No connection: not saved yet. Trying again.";
      timer = window.setTimeout(save, AGAIN);
      return;
    }
    const told = await answer.json().catch(() => ({ message: "Not saved. Press save to see why." }));
    stopped = answer.status === 409;
    if (told.revision && form.elements.revision) form.elements.revision.value = told.revision;
    said.textContent = told.message;
    const now = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) now.delete(input.name);
    now.set("revision", words.get("revision"));
    if (answer.ok && text(now) === written) form.dispatchEvent(new Event("saved"));
  }
}

function text(words) {
  return JSON.stringify([...words]);
}
