import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameDisplay } from "../../workbench/components/canvas/js/frame-display.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { noting, reviewData, settled } from "./made.js";

/** Parts of the page by their name, which the display asks for. */
class Part {
  dataset = {};

  querySelector() {
    return new Part();
  }
}

/** A display whose frames come when the test says so. */
function displaying() {
  const closed = [];
  globalThis.HTMLElement = Part;
  globalThis.HTMLInputElement = Part;
  globalThis.createImageBitmap = async (blob) => ({ blob, close: () => closed.push(blob) });
  const coming = new Map();
  const state = new ReviewState(reviewData());
  const viewport = noting("wait", "fail", "show");
  const frames = { peek: () => null, prefetch: () => {}, get: async (index) => ({ i: index, faces: [] }) };
  const source = {
    pictures: [false],
    isThere: () => false,
    load: (index) => [new Promise((resolve, reject) => coming.set(index, { resolve, reject }))],
  };
  const root = new Part();
  const kept = new Map();
  const previews = { near: (index) => kept.get(index) ?? null };
  const display = new FrameDisplay(root, state, viewport, { frames, stills: noting("only"), source, previews });
  return { state, viewport, display, coming, closed, root, kept, source };
}

test("a frame is on screen when its picture and its faces are", async () => {
  const { state, display, coming, root } = displaying();
  const painted = [];
  state.events.on("framePainted", (index) => painted.push([index, state.isPainted]));
  const shown = display.show(5);
  assert.equal(state.index, 5);
  assert.equal(state.isPainted, false);
  assert.equal(display.time.textContent, "0:00.20");
  coming.get(5).resolve("five");
  await shown;
  assert.deepEqual(painted, [[5, true]]);
  assert.equal(state.waiting, false);
  assert.equal(root.dataset.frame, "5");
});

test("a frame that comes after a later one was asked for is not shown", async () => {
  const { state, display, coming, viewport } = displaying();
  const first = display.show(5);
  const second = display.show(6);
  coming.get(6).resolve("six");
  await second;
  coming.get(5).resolve("five");
  await first;
  assert.equal(state.painted, 6);
  assert.equal(viewport.calls.filter(([name]) => name === "show").length, 1);
});

test("pictures that come too late are closed", async () => {
  const { display, coming, closed } = displaying();
  const bitmaps = [];
  globalThis.createImageBitmap = (blob) =>
    new Promise((resolve) => bitmaps.push(() => resolve({ close: () => closed.push(blob) })));
  const shown = display.show(5);
  coming.get(5).resolve("five");
  await settled();
  display.show(6);
  bitmaps.forEach((resolve) => resolve());
  await shown;
  assert.deepEqual(closed, ["five"]);
});

test("a failure is told, but not that of a frame nobody waits for", async () => {
  const { state, display, coming, viewport } = displaying();
  const first = display.show(5);
  const second = display.show(6);
  coming.get(5).reject(new Error("aborted"));
  coming.get(6).reject(new Error("The disk is full."));
  await Promise.all([first, second]);
  const failures = viewport.calls.filter(([name]) => name === "fail");
  assert.deepEqual(failures, [["fail", "The disk is full."]]);
  assert.equal(state.painted, null);
  assert.equal(state.waiting, false);
});

test("until its still is there, a frame is shown small: nothing is painted, and nothing can be amended", async () => {
  const { state, display, coming, viewport, root, kept } = displaying();
  state.painted = 2;
  kept.set(5, { frame: 5, blob: "small five" });
  const shown = display.show(5);
  await settled();
  assert.deepEqual(
    viewport.calls.filter(([name]) => name === "show").map(([, picture]) => picture.blob),
    ["small five"],
  );
  assert.equal(state.painted, null);
  assert.equal(root.dataset.previewed, "5");
  assert.equal(root.dataset.frame, undefined);
  coming.get(5).resolve("five");
  await shown;
  assert.equal(viewport.calls.filter(([name]) => name === "show").at(-1)[1].blob, "five");
  assert.equal(state.isPainted, true);
});

test("a small picture of another frame is dimmed, as what waits is", async () => {
  const { display, viewport, kept } = displaying();
  kept.set(5, { frame: 4, blob: "small four" });
  display.show(5);
  await settled();
  assert.deepEqual(viewport.calls.at(-1), ["wait", true]);
});

test("what is there, what plays and what is masked is not shown small before", async () => {
  for (const change of [
    ({ source }) => Object.assign(source, { isThere: () => true }),
    ({ state }) => Object.assign(state, { playing: 1 }),
    ({ state }) => Object.assign(state, { view: "after" }),
  ]) {
    const made = displaying();
    made.kept.set(5, { frame: 5, blob: "small five" });
    change(made);
    made.display.show(5);
    await settled();
    assert.deepEqual(made.viewport.calls, []);
  }
});
