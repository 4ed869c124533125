import assert from "node:assert/strict";
import { test } from "node:test";

import { nearestTo } from "../../workbench/components/canvas/js/timeline-peek.js";

test("the nearest of the pictures that are there is shown", () => {
  assert.equal(nearestTo([], 5), null);
  assert.equal(nearestTo([0, 100, 200], 120), 100);
  assert.equal(nearestTo([0, 100, 200], 199), 200);
});
