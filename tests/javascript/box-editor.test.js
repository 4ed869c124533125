import assert from "node:assert/strict";
import { test } from "node:test";

import { Draft } from "../../workbench/components/canvas/js/draft.js";
import { amending } from "./amending.js";
import { face } from "./made.js";

test("a new box is drawn, followed and saved", () => {
  const { state, editor, prompt, actions } = amending();
  editor.boxed([10, 10, 50, 50], false);
  assert.deepEqual(editor.askedRange(), [30, 30]);
  Object.assign(state, { index: 40, painted: 40 });
  editor.boxed([20, 10, 60, 50], false);
  assert.equal(prompt.numbers.until, 40);
  assert.equal(prompt.titles.length, 1);
  assert.match(prompt.fill({ until: 35 }), /frame 40 or later/);
  assert.equal(prompt.fill({ until: 41 }), "");
  assert.equal(state.draft, null);
  const [{ kind, keyframes }] = actions();
  assert.equal(kind, "add");
  assert.deepEqual(
    keyframes.map(([frame]) => frame),
    [30, 40, 41],
  );
});

test("a second box is not begun before the first is saved or discarded", () => {
  const { state, editor, prompt, said } = amending();
  editor.drawInMiddle();
  const draft = state.draft;
  editor.drawInMiddle();
  assert.equal(state.draft, draft);
  assert.match(said(), /Save the box first/);
  editor.discard();
  assert.equal(state.draft, null);
  assert.equal(prompt.open, false);
});

test("a new box is drawn over the possible face that is not covered", () => {
  const { state, editor } = amending({}, { faces: [], doubtful: [{ box: [-5, 100, 20, 120], seen: [] }] });
  editor.drawInMiddle();
  assert.deepEqual(state.draft.box(30), [0, 100, 20, 120]);
});

test("a drag takes hold of the chosen face, and of nothing while another frame is on its way", () => {
  const { state, editor } = amending();
  state.choose(1);
  assert.equal(editor.held({ grip: undefined, track: "-1" }), null);
  assert.equal(editor.held({ grip: undefined, track: undefined }), null);
  state.index = 31;
  assert.equal(editor.held({ grip: "n", track: undefined }), null);
  state.index = 30;
  assert.deepEqual(editor.held({ grip: undefined, track: "1" }), face(1).box);
  assert.equal(state.draft.track, 1);
});

test("a track is not resized where it has no face", () => {
  const { state, editor, prompt, said } = amending({}, { faces: [] });
  state.draft = new Draft(1);
  editor.boxed([0, 0, 50, 50], true);
  assert.match(said(), /Extend the track first/);
  assert.equal(prompt.open, false);
});

test("keys move a box and resize it", () => {
  const { state, editor } = amending();
  state.choose(1);
  editor.resizeChosen();
  editor.nudge(5, 0, false);
  assert.deepEqual(state.draft.box(30), [15, 10, 35, 30]);
  editor.nudge(0, 10, true);
  assert.deepEqual(state.draft.box(30), [15, 10, 35, 40]);
});
