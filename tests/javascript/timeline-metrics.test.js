import assert from "node:assert/strict";
import { test } from "node:test";

import { heightOf, placesOfNames } from "../../workbench/components/canvas/js/timeline-metrics.js";

for (const lanes of [1, 2, 9]) {
  for (const hasSound of [false, true]) {
    test(`names of ${lanes} lanes, sound ${hasSound}, lie one below the other and inside`, () => {
      const places = placesOfNames(lanes, hasSound).map(([, y]) => y);
      const gaps = places.slice(1).map((y, at) => y - (places[at] ?? 0));
      assert.ok(Math.min(...gaps) > 11, `${gaps}`);
      assert.ok(Math.max(...places) < heightOf(lanes, hasSound));
    });
  }
}
