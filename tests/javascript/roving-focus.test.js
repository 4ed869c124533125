import assert from "node:assert/strict";
import { test } from "node:test";

import { nextPlace } from "../../workbench/components/canvas/js/roving-focus.js";

test("arrows go from control to control and stop at the ends", () => {
  assert.equal(nextPlace(2, 5, 1), 3);
  assert.equal(nextPlace(2, 5, -1), 1);
  assert.equal(nextPlace(4, 5, 1), 4);
  assert.equal(nextPlace(0, 5, -1), 0);
});

test("Home and End go to the first and the last", () => {
  assert.equal(nextPlace(2, 5, -Infinity), 0);
  assert.equal(nextPlace(2, 5, Infinity), 4);
});

test("a control between two rows goes to the one after or before it", () => {
  assert.equal(nextPlace(1.5, 5, 1), 2);
  assert.equal(nextPlace(1.5, 5, -1), 1);
});
