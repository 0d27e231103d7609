/* What script adds to pages that work without it. Every part stands alone; nothing here holds a rule. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  focusErrorSummary();
  for (const form of document.querySelectorAll("form[data-warn-unsaved]")) warnWhenLeaving(form);
  document.addEventListener("keydown", focusSearchOnSlash);
  document.addEventListener("click", closeMenus);
  document.addEventListener("keydown", closeMenusOnEscape);
  document.addEventListener("submit", sendOnlyOnce);
});

/* Refused input: start where it says what is wrong. */
function focusErrorSummary() {
  const summary = document.querySelector(".error-summary");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const control = link && document.getElementById(link.hash.slice(1));
    if (!control) return;
    event.preventDefault();
    (control.closest("fieldset, .field") || control).scrollIntoView({ block: "start" });
    control.focus({ preventScroll: true });
  });
}

/* The browser asks, in its own words, before a changed form is left. */
function warnWhenLeaving(form) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  form.addEventListener("saved", () => { changed = false; }); /* said by autosave.js */
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

/* "/" goes to the search, unless the person is writing or data-shortcuts="off" stands on the page's root element. */
function focusSearchOnSlash(event) {
  const writing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
  const search = document.getElementById("search");
  if (event.key !== "/" || writing || !search || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.documentElement.dataset.shortcuts === "off") return;
  event.preventDefault();
  search.focus();
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

function closeMenusOnEscape(event) {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}

/* A second click within a moment is no second request (the server would answer it the same way). */
function sendOnlyOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  window.setTimeout(() => { delete form.dataset.sent; }, 3000);
}

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
