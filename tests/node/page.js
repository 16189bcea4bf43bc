// SPDX-License-Identifier: MIT
// usage: node page.js PAGE ADDRESS [KEY]
// Runs the script of a page like examples/watch.html with socket.io-client and
// as much of a browser as it needs.  ADDRESS is the page's, with its query; KEY
// is typed into its form.  Prints a line of JSON for each change of what it
// shows: {"state", "rows": [[cell, ...], ...]}.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { io } from "socket.io-client";

const [, , file, address, key] = process.argv;
let isDue = false;

function say() {
  isDue = false;
  const rows = byId.rows.children.map((tr) =>
    tr.cells.map((td) => td.children[0]?.value ?? td.text));
  console.log(JSON.stringify({ state: byId.state.text, rows }));
}

function changed() {
  if (!isDue) setImmediate(say);
  isDue = true;
}

class Element {
  children = [];
  listeners = {};
  text = "";
  #value;
  get value() { return this.#value; }
  set value(value) { this.#value = value; changed(); }
  get textContent() { return this.text; }
  set textContent(text) { this.text = String(text); changed(); }
  get firstChild() { return this.children[0]; }
  get cells() { return this.children; }
  get rows() { return this.children; }
  get lastElementChild() { return this.children.at(-1); }
  append(child) { this.add(child, this.children.length); }
  add(child, at) {
    child.parent = this;
    this.children.splice(at, 0, child);
    changed();
    return child;
  }
  remove() {
    this.parent.children = this.parent.children.filter((c) => c !== this);
    changed();
  }
  insertRow(at) { return this.add(new Element(), at); }
  insertCell() { return this.add(new Element(), this.children.length); }
  addEventListener(name, listener) { this.listeners[name] = listener; }
}

const byId = { state: new Element(), rows: new Element(), key: new Element() };
const scripts = readFileSync(file, "utf8").matchAll(/<script>(.*?)<\/script>/gs);
const page = {
  io,
  console,
  URLSearchParams,
  location: new URL(address),
  document: {
    getElementById: (id) => byId[id],
    createElement: () => new Element(),
  },
};
for (const [, script] of scripts) runInNewContext(script, page);
if (key) {
  byId.key.apiKey = { value: key };
  byId.key.listeners.submit({ preventDefault() {}, target: byId.key });
}
