import assert from "node:assert/strict";
import { test } from "node:test";

import { AssistTask } from "../../workbench/components/canvas/js/assist-task.js";
import { FaceFollower } from "../../workbench/components/canvas/js/face-follower.js";
import { amending } from "./amending.js";
import { answering, face, serving } from "./made.js";

const BOX = [10, 10, 30, 30];
const FOLLOWED = {
  state: "followed",
  keyframes: [
    [20, BOX],
    [45, BOX],
  ],
  before: "scene cut",
  after: "the face was lost",
  reason: "followed from frame 30",
};

/** Makes what follows a face; the preview is left out because there is no page to make it in. */
function following(t, answers, frame) {
  const made = amending({}, frame);
  const asked = serving(t, (url, options) => {
    if (options.method === "POST") {
      return answering({ serial: 7 });
    }
    return options.method === "DELETE" ? answering(null) : answering(answers.shift());
  });
  const follower = new FaceFollower(made.state, {
    ...made.amendmentParts,
    editor: made.editor,
    task: new AssistTask("/assist"),
  });
  follower.preview = () => null;
  return { ...made, asked, follower };
}

test("a chosen face is followed, looked at, cut to length and saved", async (t) => {
  const working = { state: "working", done: 3, total: 90 };
  const { state, follower, prompt, actions, sent, asked } = following(t, [working, FOLLOWED]);
  state.choose(1);
  await follower.begin();
  assert.deepEqual(asked, ["/assist", "/assist/7", "/assist/7"]);
  assert.deepEqual([prompt.numbers.from, prompt.numbers.to], [20, 45]);
  state.index = 25;
  assert.equal(follower.setEnd("from"), true);
  state.index = 99;
  assert.equal(follower.setEnd("to"), true);
  assert.equal(prompt.fill({}), "");
  const [{ kind, keyframes }] = actions();
  assert.equal(kind, "add");
  assert.deepEqual(keyframes, [
    [25, BOX],
    [45, BOX],
  ]);
  assert.equal(sent[0][1].reason, "followed from frame 30");
  assert.equal(follower.setEnd("to"), false);
});

test("a box that is moved beyond the ends makes the stretch longer", async (t) => {
  const { state, follower, editor, prompt } = following(t, [FOLLOWED]);
  state.choose(1);
  await follower.begin();
  Object.assign(state, { index: 50, painted: 50 });
  editor.nudge(5, 0, false);
  assert.deepEqual([prompt.numbers.from, prompt.numbers.to], [20, 50]);
});

test("a failure is said, and the box that was drawn stays", async (t) => {
  const sentence = "The source cannot be read.";
  const { state, follower, said } = following(t, [{ state: "failed", sentence }]);
  state.choose(1);
  await follower.begin();
  assert.equal(said(), sentence);
  assert.notEqual(state.draft, null);
});

test("work whose box was discarded is ended", async (t) => {
  const { state, follower, editor, prompt, asked } = following(t, [{ state: "working", done: 0, total: 0 }]);
  state.choose(1);
  const done = follower.begin();
  editor.discard();
  await done;
  assert.equal(asked.at(-1), "/assist/7");
  assert.equal(prompt.open, false);
});

test("without a box there is nothing to follow, and a box of a track is not followed", async (t) => {
  const { state, follower, editor, said, asked } = following(t, [], { faces: [face(1), face(2)] });
  await follower.begin();
  assert.match(said(), /Draw a box/);
  state.choose(1);
  editor.resizeChosen();
  await follower.begin();
  assert.match(said(), /Only a new mask/);
  assert.deepEqual(asked, []);
});
