import assert from "node:assert/strict";
import { test } from "node:test";

import { Draft } from "../../workbench/components/canvas/js/draft.js";
import { outlinesOf } from "../../workbench/components/canvas/js/outlines.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { face, reviewData } from "./made.js";

function outlines(frame, change = () => {}) {
  const state = new ReviewState(reviewData());
  Object.assign(state, { index: 3, painted: 3, current: frame });
  change(state);
  return outlinesOf(state);
}

test("nothing is drawn over a picture that is not the frame's", () => {
  assert.deepEqual(
    outlines({ faces: [face(1)] }, (state) => (state.index = 4)),
    [],
  );
});

test("the chosen face has grips for one who may amend", () => {
  const choose = (state) => (state.chosen = 1);
  const [one, other] = outlines({ faces: [face(1), face(2)] }, choose);
  assert.deepEqual([one.chosen, one.held, other.chosen, other.held], [true, true, false, false]);
  const [looked] = outlines({ faces: [face(1)] }, (state) => {
    state.choose(1);
    state.data.rights.amend = false;
  });
  assert.deepEqual([looked.chosen, looked.held], [true, false]);
});

test("a removed mask leaves a box", () => {
  const [ghost] = outlines({ faces: [], removed: [{ track: 4, box: [1, 1, 9, 9] }] });
  assert.deepEqual([ghost.track, ghost.tone, ghost.label], [-1, "doubtful", "mask of 4 removed"]);
});

test("the box that is drawn takes the place of its track's, and lies on top", () => {
  const draft = new Draft(1);
  draft.set(3, [0, 0, 9, 9]);
  const drawn = outlines({ faces: [face(1), face(2)], doubtful: [{ box: [1, 1, 9, 9], seen: [] }] }, (state) => {
    Object.assign(state, { draft, chosen: 2 });
  });
  assert.deepEqual(
    drawn.map((one) => one.track),
    [-1, 2, -2],
  );
  assert.deepEqual([drawn[2].label, drawn[1].chosen], ["track 1", false]);
});

test("labels say who saw a face, how it came to be there, or that it stays visible", () => {
  const faces = [
    face(1, [0, 0, 9, 9], { seen: [["MTCNN", 0.987]] }),
    face(2),
    face(3, [0, 0, 9, 9], { visible: true }),
  ];
  assert.deepEqual(
    outlines({ faces }).map((one) => one.label),
    ["1 · MTCNN 0.99", "2 · detected", "3 · visible"],
  );
  assert.equal(outlines({ faces })[0].said, "Track 1, detected, MTCNN 0.99");
  assert.equal(outlines({ faces })[2].said, "Track 3, kept visible");
});
