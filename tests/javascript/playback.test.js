import assert from "node:assert/strict";
import { test } from "node:test";

import { Playback } from "../../workbench/components/canvas/js/playback.js";
import { ReviewState } from "../../workbench/components/canvas/js/state.js";
import { noting, reviewData, settled } from "./made.js";

function playing(index, fails = false) {
  const state = new ReviewState(reviewData());
  state.index = index;
  const shown = [];
  const display = {
    show: async (frame) => {
      shown.push(frame);
      Object.assign(state, { index: frame, painted: fails ? null : frame });
    },
  };
  const button = { setAttribute: (name, value) => Object.assign(button, { [name]: value }) };
  const status = noting("say");
  return { state, shown, button, status, playback: new Playback(state, display, status, button) };
}

test("no frame is left out, and playing ends at the last", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { state, shown, playback, button } = playing(96);
  playback.toggle();
  assert.equal(button.textContent, "Pause");
  for (let times = 0; times < 9; times += 1) {
    await settled();
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(shown, [97, 98, 99]);
  assert.equal(state.playing, 0);
  assert.equal(button.textContent, "Play");
  assert.equal(button["aria-pressed"], "false");
});

test("the last frame cannot be played", () => {
  const { state, shown, playback, status } = playing(99);
  playback.toggle();
  assert.equal(state.playing, 0);
  assert.deepEqual(shown, []);
  assert.deepEqual(status.calls, [["say", "This is the last frame."]]);
});

test("a second time pauses", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { shown, playback } = playing(0);
  playback.toggle(0.25);
  await settled();
  playback.toggle();
  t.mock.timers.tick(10000);
  await settled();
  assert.deepEqual(shown, [1]);
});

test("a frame that does not come pauses", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { state, playback } = playing(0, true);
  playback.toggle();
  await settled();
  assert.equal(state.playing, 0);
});

test("playing back goes to the first frame and no further", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { state, shown, playback, status } = playing(2);
  playback.shuttle(-1);
  for (let times = 0; times < 4; times += 1) {
    await settled();
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(shown, [1, 0]);
  assert.equal(state.playing, 0);
  playback.shuttle(-1);
  assert.deepEqual(status.calls, [["say", "This is the first frame."]]);
});

test("each time more it plays twice as fast, up to four times; the other way begins anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { state, playback } = playing(50);
  const speeds = [1, 1, 1, 1, -1, -1].map((way) => {
    playback.shuttle(way);
    return state.playing;
  });
  assert.deepEqual(speeds, [1, 2, 4, 4, -1, -2]);
});

test("faster than the video, frames are left out when they are late, never more than the speed", () => {
  const { state, playback } = playing(10);
  playback.anchor = { index: 10, time: 0 };
  assert.equal(playback.next(4, 0), 11);
  assert.equal(playback.next(4, 35), 13);
  assert.equal(playback.next(4, 1000), 14);
  assert.equal(playback.next(1, 1000), 11);
  state.index = 99;
  assert.equal(playback.next(1, 1000), null);
});

test("a loop goes from its end to its start", () => {
  const { state, playback } = playing(29);
  Object.assign(state, { looping: true, markIn: 20, markOut: 29 });
  assert.equal(playback.next(1, 0), 20);
  state.index = 20;
  assert.equal(playback.next(-1, 0), 29);
});
