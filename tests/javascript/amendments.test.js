import assert from "node:assert/strict";
import { test } from "node:test";

import { problemOf } from "../../workbench/components/canvas/js/prompt-fields.js";
import { redoTargets, undoTargets } from "../../workbench/components/canvas/js/undo-targets.js";
import { amending } from "./amending.js";
import { spot, track } from "./made.js";

test("what is sent has all that the page asks for, and a number of its own", () => {
  const { amendments, sent, seen } = amending();
  amendments.send({ kind: "undo", amendment: 1 });
  amendments.send({ kind: "undo", amendment: 2 }, "a mistake");
  assert.deepEqual(sent[1], [
    "act",
    {
      actions: [{ kind: "undo", amendment: 2 }],
      reason: "a mistake",
      serial: 2,
      revision: "0123456789abcdef",
      run: "run-1",
      frame: 30,
    },
  ]);
  assert.equal(seen.calls.length, 2);
});

test("one who may not amend changes nothing", () => {
  const { amendments, forms, editor, prompt, sent, said } = amending({ rights: { amend: false, why: "Ask Ana." } });
  amendments.accept();
  amendments.undo(1);
  forms.askDelete();
  forms.askCover();
  editor.drawInMiddle();
  editor.boxed([0, 0, 50, 50], false);
  assert.equal(said(), "Ask Ana.");
  assert.deepEqual(sent, []);
  assert.equal(prompt.open, false);
});

test("removing a mask needs a reason", () => {
  const { forms, prompt } = amending();
  forms.askDelete();
  const values = new Map([
    ["scope", "whole"],
    ["reason", ""],
  ]);
  assert.equal(problemOf(prompt.question.fields, values).name, "reason");
});

test("an item that is not on the screen is not accepted", () => {
  const { state, amendments, sent } = amending({ spots: [spot("a", 30, { track: 7 })], tracks: [track(1, 20, 40)] });
  state.openItem(state.data.spots[0]);
  state.choose(1); // another face than the item's
  assert.equal(amendments.accept(), false);
  state.choose(7);
  Object.assign(state, { index: 90, painted: 90 }); // another frame
  assert.equal(amendments.accept(), false);
  Object.assign(state, { index: 30, painted: 30 });
  assert.equal(amendments.accept(), true);
  assert.equal(sent.length, 1);
});

test("an open item is accepted once", () => {
  const { state, amendments, actions, said } = amending({ spots: [spot("a", 30)] });
  assert.equal(amendments.accept(), false);
  assert.match(said(), /No item to check is on the screen/);
  state.openItem(state.data.spots[0]);
  assert.equal(amendments.accept(), true);
  assert.equal(amendments.accept(), false);
  assert.deepEqual(actions(), [{ kind: "accept", spot: "a" }]);
});

test("the last amendment that counts is undone", () => {
  const listed = [
    { number: 1, kind: "add", undone: false },
    { number: 2, kind: "add", undone: true },
    { number: 3, kind: "undo", undone: false },
  ];
  const { amendments, actions } = amending({ amendments: listed });
  amendments.undoLast();
  assert.deepEqual(actions(), [{ kind: "undo", amendment: 1 }]);
});

test("what was made together is undone together, and done again together", () => {
  const made = (number, kind, undone, undoes = null) => ({ number, kind, undone, undoes });
  const adds = [made(1, "add", false), made(2, "delete", false), made(3, "delete", false)];
  assert.deepEqual(undoTargets(adds, [[2, 3]]), [3, 2]);
  const undone = [
    ...[made(1, "add", false), made(2, "delete", true), made(3, "delete", true)],
    ...[made(4, "undo", false, 3), made(5, "undo", false, 2)],
  ];
  assert.deepEqual(undoTargets(undone, [[2, 3]]), [1]);
  const batches = [
    [2, 3],
    [4, 5],
  ];
  assert.deepEqual(redoTargets(undone, batches), [5, 4]);
  assert.deepEqual(redoTargets([...undone, made(6, "add", false)], batches), []);
  assert.deepEqual(redoTargets(adds, []), []);
});

test("a redo is not redone, and the undo before it is", () => {
  const listed = [
    ...[
      { number: 1, kind: "add", undone: true },
      { number: 2, kind: "add", undone: false },
    ],
    ...[
      { number: 3, kind: "undo", undone: true, undoes: 2 },
      { number: 4, kind: "undo", undone: false, undoes: 1 },
    ],
    { number: 5, kind: "undo", undone: false, undoes: 3 },
  ];
  assert.deepEqual(redoTargets(listed, []), [4]);
});

test("without amendments there is nothing to undo", () => {
  const { amendments, sent, said } = amending();
  amendments.undoLast();
  assert.equal(said(), "There is nothing to undo.");
  assert.deepEqual(sent, []);
});

test("a track is deleted whole or in part", () => {
  const { forms, prompt, actions } = amending();
  forms.askDelete();
  prompt.fill({ scope: "upto" });
  assert.deepEqual(actions(), [{ kind: "delete", track: 1, start: 20, stop: 31 }]);
});

test("only the whole track can be deleted where it has no face", () => {
  const { state, forms, prompt } = amending({}, { faces: [] });
  state.choose(1);
  forms.askDelete();
  assert.deepEqual(
    prompt.question.fields[0].options.map(([value]) => value),
    ["whole"],
  );
});

test("a range follows the frame that one steps to, backwards too", () => {
  const { forms, prompt, actions } = amending();
  forms.askCover();
  assert.deepEqual(prompt.question.follow(35), { from: 30, to: 35 });
  assert.deepEqual(prompt.question.follow(25), { from: 25, to: 30 });
  assert.match(prompt.fill({ from: 30, to: 29 }), /before the first/);
  assert.equal(prompt.fill({ from: 30, to: 30 }), "");
  assert.deepEqual(actions(), [{ kind: "cover", start: 30, stop: 31 }]);
});

test("a track from the first frame to the last cannot be extended", () => {
  const { forms, prompt, said } = amending({ tracks: [track(1, 0, 100)] });
  forms.askExtend();
  assert.match(said(), /from the first frame to the last/);
  assert.equal(prompt.open, false);
});

test("keeping a person visible needs a reason", () => {
  const { forms, prompt } = amending();
  forms.askVisible();
  const { fields } = prompt.question;
  const values = new Map([
    ["from", "20"],
    ["to", "39"],
    ["reason", ""],
  ]);
  assert.equal(problemOf(fields, values).name, "reason");
  values.set("reason", "a presenter");
  assert.equal(problemOf(fields, values), null);
});
