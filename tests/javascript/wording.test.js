import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf } from "../../workbench/components/canvas/js/address-bar.js";
import { riskSeen } from "../../workbench/components/canvas/js/progress-summary.js";
import { clock, percent, seenBy } from "../../workbench/components/canvas/js/wording.js";
import { clock as playerClock } from "../../workbench/components/player/js/player.js";
import { spot } from "./made.js";

test("risk is looked at as far as the frames of its items are", () => {
  const spots = [spot("a", 0, { stop: 4, risk: 0.75 }), spot("b", 8, { risk: 0.25 })];
  assert.equal(riskSeen(spots, new Uint8Array(10)), 0);
  assert.equal(riskSeen(spots, [1, 1, 0, 0, 0, 0, 0, 0, 1, 0]), 0.625);
  assert.equal(riskSeen(spots, new Uint8Array(10).fill(1)), 1);
  assert.equal(riskSeen([], []), 1);
});

test("a share is never said to be more than it is", () => {
  assert.equal(percent(0.999), "99 %");
  assert.equal(percent(1), "100 %");
  assert.equal(percent(0.29), "29 %");
});

test("times have minutes, and two digits of seconds", () => {
  assert.equal(clock(0), "0:00.00");
  assert.equal(clock(65.5), "1:05.50");
  assert.equal(playerClock(0), "0:00");
  assert.equal(playerClock(125.9), "2:05");
  assert.equal(seenBy([["A", 0.5], ["B", 1]]), "A 0.50 · B 1.00"); // prettier-ignore
});

test("the address names the frame, and the track when one is chosen", () => {
  const page = "http://localhost/review?run=7&track=3";
  assert.equal(addressOf(page, 12, 0).search, "?run=7&track=0&frame=12");
  assert.equal(addressOf(page, 0, null).search, "?run=7&frame=0");
});
