import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { SeenFrames, rangesOf } from "../../workbench/components/canvas/js/seen-frames.js";
import { answering, serving, settled } from "./made.js";

beforeEach(() => {
  globalThis.document = Object.assign(new EventTarget(), { visibilityState: "visible" });
});

afterEach(() => {
  delete globalThis.document;
});

function toldOf(calls) {
  return calls.map(({ arguments: [, { body }] }) => JSON.parse(body).ranges);
}

test("frames become ranges in order, each with the frame after it", () => {
  assert.deepEqual(rangesOf([]), []);
  assert.deepEqual(rangesOf([0]), [[0, 1]]);
  assert.deepEqual(rangesOf([10, 9, 2, 3, 4]), [
    [2, 5],
    [9, 11],
  ]);
});

test("it begins with what was seen before, counting no frame twice", () => {
  const seen = new SeenFrames("/seen", [[0, 3]], [[0, 3], [2, 5]], 10); // prettier-ignore
  assert.equal(seen.mine, 3);
  assert.equal(seen.count, 5);
  assert.deepEqual([...seen.flags], [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
});

test("a frame counts once, and one that somebody else has seen counts as mine", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const seen = new SeenFrames("/seen", [], [[0, 1]], 10);
  seen.add(0);
  seen.add(0);
  seen.add(9);
  assert.equal(seen.mine, 2);
  assert.equal(seen.count, 2);
});

test("nothing counts while the page is hidden", () => {
  document.visibilityState = "hidden";
  const seen = new SeenFrames("/seen", [], [], 10);
  seen.add(1);
  assert.equal(seen.count, 0);
});

test("the server is told after some seconds, once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = serving(t, () => answering({}));
  const seen = new SeenFrames("/seen", [], [], 10);
  seen.add(1);
  t.mock.timers.tick(3000);
  seen.add(2);
  assert.equal(asked.length, 0);
  t.mock.timers.tick(1000);
  assert.deepEqual(toldOf(fetch.mock.calls), [[[1, 3]]]);
  t.mock.timers.tick(10000);
  assert.equal(asked.length, 1);
});

test("the server is told at once of a full batch", (t) => {
  serving(t, () => answering({}));
  const seen = new SeenFrames("/seen", [], [], 300);
  for (let index = 0; index < 200; index += 1) {
    seen.add(index);
  }
  assert.deepEqual(toldOf(fetch.mock.calls), [[[0, 200]]]);
});

test("what the server did not hear is told again", async (t) => {
  let broken = true;
  serving(t, () => answering({}, { ok: !broken, status: 500 }));
  const seen = new SeenFrames("/seen", [], [], 10);
  seen.add(4);
  seen.tell();
  await settled();
  broken = false;
  seen.tell();
  await settled();
  seen.tell();
  assert.deepEqual(toldOf(fetch.mock.calls), [[[4, 5]], [[4, 5]]]);
});

test("the rest is told when the page is left, and not after the end", (t) => {
  const asked = serving(t, () => answering({}));
  const seen = new SeenFrames("/seen", [], [], 10);
  seen.add(1);
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(asked.length, 1);
  seen.end();
  seen.fresh.add(2);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(asked.length, 1);
});
