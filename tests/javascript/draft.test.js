import assert from "node:assert/strict";
import { test } from "node:test";

import { Draft, samplesOf } from "../../workbench/components/canvas/js/draft.js";

const FIRST = [0, 0, 10, 10];
const LAST = [20, 40, 30, 50];

function drawn(track, ...keyframes) {
  const draft = new Draft(track);
  for (const [index, box] of keyframes) {
    draft.set(index, box);
  }
  return draft;
}

test("a draft without keyframes has no box", () => {
  assert.equal(new Draft().box(0), null);
});

test("a box is held before the first keyframe and after the last", () => {
  const draft = drawn(null, [5, FIRST], [15, LAST]);
  assert.deepEqual(draft.box(0), FIRST);
  assert.deepEqual(draft.box(5), FIRST);
  assert.deepEqual(draft.box(15), LAST);
  assert.deepEqual(draft.box(99), LAST);
});

test("a box moves evenly between keyframes, in whatever order they were drawn", () => {
  const draft = drawn(null, [15, LAST], [5, FIRST]);
  assert.deepEqual(draft.box(10), [10, 20, 20, 30]);
  assert.deepEqual(draft.box(6), [2, 4, 12, 14]);
});

test("a box lies between the two keyframes that are nearest", () => {
  const draft = drawn(null, [0, FIRST], [10, LAST], [20, FIRST]);
  assert.deepEqual(draft.box(15), [10, 20, 20, 30]);
});

test("a keyframe that is drawn again replaces the one before", () => {
  const draft = drawn(null, [5, FIRST], [5, LAST]);
  assert.deepEqual(draft.frames, [5]);
  assert.deepEqual(draft.box(5), LAST);
});

test("a new face is added with its keyframes in order", () => {
  const action = drawn(null, [15, LAST], [5, FIRST]).action(15);
  assert.deepEqual(action, {
    kind: "add",
    keyframes: [
      [5, FIRST],
      [15, LAST],
    ],
  });
});

test("the last box is kept until a later frame", () => {
  const { keyframes } = drawn(null, [5, FIRST]).action(9);
  assert.deepEqual(keyframes, [
    [5, FIRST],
    [9, FIRST],
  ]);
});

test("a frame before the last keyframe does not shorten the draft", () => {
  assert.deepEqual(drawn(null, [5, FIRST]).action(2).keyframes, [[5, FIRST]]);
});

test("the boxes of a track are resized, also those of track 0", () => {
  const draft = drawn(0, [5, FIRST]);
  assert.equal(draft.adds, false);
  assert.deepEqual(draft.action(5), { kind: "resize", track: 0, keyframes: [[5, FIRST]] });
});

test("the title names the frames", () => {
  assert.match(drawn(null, [5, FIRST]).title, /^New mask, frame 5\./);
  assert.match(drawn(3, [9, FIRST], [5, LAST]).title, /^Adjust the mask of track 3, frames 5–9\./);
});

test("a followed face ends where it was followed to", () => {
  const draft = drawn(null, [10, FIRST]);
  assert.equal(draft.reaches(99), true);
  const followed = [5, 10, 15].map((frame) => [frame, FIRST]);
  draft.join(followed, 10);
  assert.deepEqual(
    [4, 5, 15, 16].map((frame) => draft.reaches(frame)),
    [false, true, true, false],
  );
  assert.match(draft.title, /^Followed face, frames 5–15\./);
});

test("following again replaces what comes after, and what was lost between is found backwards", () => {
  const draft = drawn(null, [10, FIRST]);
  const join = (frames, at) =>
    draft.join(
      frames.map((frame) => [frame, LAST]),
      at,
    );
  join([5, 15], 10);
  draft.set(20, LAST);
  join([12, 17, 20, 30], 20);
  assert.deepEqual(draft.frames, [5, 15, 17, 20, 30]);
  join([1, 6, 9], 6);
  assert.deepEqual(draft.frames, [1, 6, 9, 15, 17, 20, 30]);
});

test("a part of a followed face is saved with boxes at its ends", () => {
  const draft = drawn(null, [5, FIRST], [15, LAST], [25, LAST]);
  assert.deepEqual(draft.actionWithin(10, 20), {
    kind: "add",
    keyframes: [
      [10, [10, 20, 20, 30]],
      [15, LAST],
      [20, LAST],
    ],
  });
  assert.deepEqual(draft.actionWithin(15, 15).keyframes, [[15, LAST]]);
});

test("samples are spread evenly, with both ends", () => {
  assert.deepEqual(samplesOf(10, 20, 3), [10, 15, 20]);
  assert.deepEqual(samplesOf(10, 11, 8), [10, 11]);
  assert.deepEqual(samplesOf(7, 7, 8), [7]);
});
