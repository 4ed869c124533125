import assert from "node:assert/strict";
import { test } from "node:test";

import { aLittleBeyond, reach, scopeOf } from "../../workbench/components/canvas/js/track-ranges.js";
import { track } from "./made.js";

test("a scope is a part of the track", () => {
  assert.deepEqual(scopeOf(track(1, 20, 40), 30, "whole"), [20, 40]);
  assert.deepEqual(scopeOf(track(1, 20, 40), 30, "here"), [30, 31]);
  assert.deepEqual(scopeOf(track(1, 20, 40), 30, "on"), [30, 40]);
});

test("a track reaches a frame from its nearer end, or over a gap", () => {
  const broken = track(1, 20, 40, [["d", 5], ["-", 3], ["i", 12]]); // prettier-ignore
  assert.deepEqual(reach(broken, 40), [40, 40]);
  assert.deepEqual(reach(broken, 45), [40, 45]);
  assert.deepEqual(reach(broken, 10), [10, 19]);
  assert.deepEqual(reach(broken, 26), [25, 27]);
  assert.equal(reach(broken, 24), null);
  assert.equal(reach(broken, 28), null);
});

test("a track is extended a little at its nearer end, within the video", () => {
  assert.deepEqual(aLittleBeyond(track(1, 20, 40), 22, 100), [8, 19]);
  assert.deepEqual(aLittleBeyond(track(1, 20, 40), 38, 100), [40, 51]);
  assert.deepEqual(aLittleBeyond(track(1, 5, 40), 6, 100), [0, 4]);
  assert.deepEqual(aLittleBeyond(track(1, 0, 40), 1, 100), [40, 51]);
  assert.deepEqual(aLittleBeyond(track(1, 20, 100), 99, 100), [8, 19]);
  assert.deepEqual(aLittleBeyond(track(1, 20, 95), 90, 100), [95, 99]);
});
