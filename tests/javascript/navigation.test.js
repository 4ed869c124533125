import assert from "node:assert/strict";
import { test } from "node:test";

import { Jumps } from "../../workbench/components/canvas/js/jumps.js";
import { Navigation } from "../../workbench/components/canvas/js/navigation.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { face, noting, reviewData, spot, track } from "./made.js";

function navigating(more = {}) {
  const state = new ReviewState(reviewData(more));
  const display = noting("show");
  const source = noting("prefetch");
  const status = noting("say");
  const navigation = new Navigation(state, display, noting("pause"), source);
  const jumps = new Jumps(state, navigation, status);
  const shown = () => display.calls.map(([, frame]) => frame);
  const said = () => status.calls.at(-1)?.[1];
  return { state, navigation, jumps, source, shown, said };
}

test("one goes no further than the first and the last frame", () => {
  const { state, navigation, shown } = navigating();
  navigation.step(-1);
  navigation.goTo(-5);
  state.index = 99;
  navigation.step(1);
  navigation.goTo(1e9);
  assert.deepEqual(shown(), [0, 0, 99, 99]);
});

test("what is no frame leads to the nearest, what is no number to the first", () => {
  const { navigation, shown } = navigating();
  for (const frame of [2.6, Number.NaN, Infinity]) {
    navigation.goTo(frame);
  }
  assert.deepEqual(shown(), [3, 0, 0]);
});

test("the direction is that of the last step, also after one that leads nowhere", () => {
  const { state, navigation } = navigating();
  state.index = 10;
  navigation.step(-1);
  assert.equal(state.direction, -1);
  navigation.goTo(10);
  assert.equal(state.direction, -1);
  navigation.step(10);
  assert.equal(state.direction, 1);
});

test("a key that is held down waits for the frame, one that is pressed does not", () => {
  const { state, navigation, shown } = navigating();
  state.waiting = true;
  navigation.step(1, true);
  assert.deepEqual(shown(), []);
  navigation.step(1, false);
  assert.deepEqual(shown(), [1]);
});

test("scrubbing shows the last place once the frame before is there", () => {
  const { state, navigation, shown, source } = navigating();
  navigation.scrub(10);
  state.waiting = true;
  navigation.scrub(20);
  navigation.scrub(30);
  state.waiting = false;
  state.events.emit("frameSettled", 10);
  assert.deepEqual(shown(), [10, 30]);
  assert.deepEqual(source.calls, []);
  state.events.emit("frameSettled", 30);
  assert.deepEqual(source.calls, [["prefetch"]]);
  assert.deepEqual(shown(), [10, 30]);
});

test("where the pointer rests on the timeline is fetched first", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { state, navigation, source } = navigating();
  navigation.hover(20);
  navigation.hover(500);
  t.mock.timers.tick(60);
  assert.deepEqual(source.calls, [["prefetch", [99]]]);
  state.playing = 1;
  navigation.hover(20);
  t.mock.timers.tick(60);
  assert.equal(source.calls.length, 1);
});

test("what a pointer slows down at is fetched at once, and only once until it is fast again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { navigation, source } = navigating();
  navigation.hover(20, 3);
  navigation.hover(30, 0.2);
  navigation.hover(31, 0.1);
  assert.deepEqual(source.calls, [["prefetch", [30]]]);
  t.mock.timers.tick(60);
  assert.deepEqual(source.calls.at(-1), ["prefetch", [31]]);
});

test("an item is opened where it is seen best, with its track", () => {
  const { state, jumps, shown } = navigating({ spots: [spot("a", 40, { track: 3 })] });
  jumps.itemBy(1);
  assert.equal(state.itemKey, "a");
  assert.equal(state.chosen, 3);
  assert.deepEqual(shown(), [40]);
});

test("an empty queue leads nowhere and says so", () => {
  const { jumps, shown, said } = navigating();
  jumps.itemBy(1);
  jumps.openItem("gone");
  assert.equal(said(), "Nothing is left to check.");
  assert.deepEqual(shown(), []);
});

test("beyond the last cut there is none", () => {
  const { state, jumps, shown, said } = navigating({ cuts: [50] });
  jumps.cutBy(1);
  assert.deepEqual(shown(), [50]);
  state.index = 50;
  jumps.cutBy(1);
  assert.equal(said(), "No cut after this frame.");
  jumps.cutBy(-1);
  assert.equal(said(), "No cut before this frame.");
  assert.deepEqual(shown(), [50]);
});

test("a face cannot be chosen before the frame is there", () => {
  const { state, jumps, said } = navigating();
  jumps.faceBy(1);
  assert.match(said(), /still loading/);
  Object.assign(state, { painted: 0, current: { faces: [] } });
  jumps.faceBy(1);
  assert.equal(said(), "No mask in this frame.");
});

test("the only face of a frame is chosen when a track is needed, one of two is not", () => {
  const { state, jumps, said } = navigating({ tracks: [track(0, 0, 9), track(1, 0, 9)] });
  state.current = { faces: [face(0), face(1)] };
  assert.equal(jumps.track(), null);
  assert.match(said(), /Choose a face first/);
  state.current = { faces: [face(0)] };
  assert.equal(jumps.track().track, 0);
});

test("a track leads to its first frame and to its last", () => {
  const { state, jumps, shown } = navigating({ tracks: [track(4, 10, 20), track(5, 30, 40)] });
  state.choose(4);
  jumps.trackStart();
  jumps.trackEnd();
  jumps.trackBy(1);
  assert.deepEqual(shown(), [10, 19, 30]);
  assert.equal(state.chosen, 5);
});
