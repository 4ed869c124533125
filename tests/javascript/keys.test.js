import assert from "node:assert/strict";
import { test } from "node:test";

import { KEYS, actionOf } from "../../workbench/components/canvas/js/keys.js";

/** An element that matches only its own name; enough for what the keys ask. */
class Element {
  constructor(name, more = {}) {
    Object.assign(this, { name, isContentEditable: false, type: "", ...more });
  }

  matches(selector) {
    return selector.split(/,(?![^(]*\))/).some((one) => {
      const [, name, excluded] = /^\s*([a-z]*)(?::not\((.*)\))?/.exec(one);
      return name === this.name && !excluded?.includes(`[type=${this.type}]`);
    });
  }
}

globalThis.HTMLElement = Element;

const NOTHING = { prompting: false, helping: false, drafting: false };
const CANVAS = new Element("div");

function action(key, { target = CANVAS, situation = {}, ...more } = {}) {
  return actionOf({ key, ...more }, target, { ...NOTHING, ...situation });
}

function command(key, more) {
  return action(key, more)?.name;
}

test("no key stands twice in the table", () => {
  const keys = KEYS.map(({ key }) => key).filter((key) => key !== null);
  assert.equal(new Set(keys).size, keys.length);
});

test("every key of the table gives its command", () => {
  for (const { key, command: name } of KEYS) {
    if (key !== null) {
      const pressed = key.startsWith("Shift+") ? { key: key.slice(6), shiftKey: true } : { key };
      assert.equal(command(pressed.key, { ...pressed, situation: { prompting: key === "Enter" } }), name, key);
    }
  }
});

test("Shift makes another key of an arrow, and of Space", () => {
  assert.equal(command("ArrowRight"), "on");
  assert.equal(command("ArrowRight", { shiftKey: true }), "on10");
  assert.equal(command(" ", { shiftKey: true }), "playSlowly");
  assert.equal(command("C", { shiftKey: true }), "prevCut");
  assert.equal(command("Home", { shiftKey: true }), undefined);
});

test("shortcuts of the browser stay its own", () => {
  assert.equal(action("c", { ctrlKey: true }), null);
  assert.equal(action("c", { metaKey: true }), null);
  assert.equal(action("z", { ctrlKey: true, target: new Element("input", { type: "text" }) }), null);
  assert.equal(action("c", { altKey: true }), null);
  assert.equal(action("c", { isComposing: true }), null);
  assert.equal(action("Q"), null);
});

test("what is typed into a field is no command", () => {
  for (const target of [
    new Element("input", { type: "text" }),
    new Element("textarea"),
    new Element("div", { isContentEditable: true }),
  ]) {
    assert.equal(action("a", { target }), null);
    assert.equal(action("ArrowLeft", { target, situation: { drafting: true } }), null);
  }
  assert.equal(command("a", { target: new Element("input", { type: "radio" }) }), "accept");
});

test("Escape closes a form also from within its fields", () => {
  const target = new Element("input", { type: "text" });
  assert.equal(command("Escape", { target, situation: { prompting: true } }), "escape");
  assert.equal(command("Escape", { target, situation: { helping: true } }), "escape");
  assert.equal(action("Escape", { target }), null);
});

test("Enter and Space press the button that has the focus", () => {
  const target = new Element("button");
  assert.equal(action(" ", { target }), null);
  assert.equal(action("Enter", { target, situation: { prompting: true } }), null);
  assert.equal(command("n", { target }), "nextItem");
});

test("Enter saves only what is open", () => {
  assert.equal(action("Enter"), null);
  assert.equal(command("Enter", { situation: { prompting: true } }), "save");
});

test("arrows move a box that is being drawn, farther with Shift, and resize it with Alt", () => {
  const situation = { drafting: true };
  assert.deepEqual(action("ArrowLeft", { situation, altKey: false }), { kind: "nudge", x: -1, y: 0, resizes: false });
  assert.deepEqual(action("ArrowDown", { situation, shiftKey: true, altKey: true }), {
    kind: "nudge",
    x: 0,
    y: 10,
    resizes: true,
  });
  assert.equal(command(".", { situation }), "on");
});

test("Alt and an arrow move the picture", () => {
  assert.deepEqual(action("ArrowUp", { altKey: true }), { kind: "pan", x: 0, y: -0.15 });
  assert.equal(action("ArrowUp"), null);
});

test("Ctrl+Z undoes, and with Shift it does again", () => {
  assert.equal(command("z", { ctrlKey: true }), "undoLast");
  assert.equal(command("Z", { ctrlKey: true, shiftKey: true }), "redoLast");
  assert.equal(command("z", { metaKey: true }), "undoLast");
  assert.equal(action("z", { ctrlKey: true, altKey: true }), null);
});
