import assert from "node:assert/strict";
import { test } from "node:test";

import {
  flaggedSpans,
  frameAt,
  lanesOf,
  movedSpan,
  spanAround,
  spanWith,
  zoomedSpan,
} from "../../workbench/components/canvas/js/timeline-layout.js";
import { track } from "./made.js";

function laneNumbers(tracks) {
  return Object.fromEntries(lanesOf(tracks).lanes.map(([lane, one]) => [one.track, lane]));
}

test("no tracks still take one lane", () => {
  assert.deepEqual(lanesOf([]), { lanes: [], used: 1 });
});

test("tracks that follow each other share a lane, those at one time do not", () => {
  const tracks = [track(2, 10, 20), track(1, 0, 10), track(3, 5, 15)];
  assert.deepEqual(laneNumbers(tracks), { 1: 0, 3: 1, 2: 0 });
  assert.equal(lanesOf(tracks).used, 2);
});

test("tracks that do not fit share the last lane", () => {
  const tracks = Array.from({ length: 12 }, (_, number) => track(number, 0, 50));
  assert.equal(lanesOf(tracks).used, 9);
  assert.equal(laneNumbers(tracks)[11], 8);
});

test("a shared lane is free only after the last of its tracks", () => {
  const tracks = Array.from({ length: 9 }, (_, number) => track(number, 0, 50));
  tracks.push(track(9, 1, 10), track(10, 20, 30), track(11, 50, 60));
  assert.equal(laneNumbers(tracks)[10], 8);
  assert.equal(laneNumbers(tracks)[11], 0);
});

test("as many frames are around the first and the last one as around any other", () => {
  assert.deepEqual(spanAround(500, 1000), [350, 650]);
  assert.deepEqual(spanAround(0, 1000), [0, 300]);
  assert.deepEqual(spanAround(999, 1000), [700, 1000]);
});

test("a short video is shown whole", () => {
  assert.deepEqual(spanAround(5, 10), [0, 10]);
});

test("a place is a frame, also at and beyond the borders", () => {
  assert.equal(frameAt(0, [0, 120]), 0);
  assert.equal(frameAt(0.5, [0, 120]), 60);
  assert.equal(frameAt(1, [0, 120]), 119);
  assert.equal(frameAt(1.5, [100, 200]), 199);
  assert.equal(frameAt(-1, [100, 200]), 100);
});

test("flagged frames become stretches, up to the borders of the span", () => {
  assert.deepEqual(flaggedSpans([1, 1, 0, 1, 0, 1, 1], [0, 7]), [
    [0, 2],
    [3, 4],
    [5, 7],
  ]);
  assert.deepEqual(flaggedSpans([1, 1, 1, 1], [1, 3]), [[1, 3]]);
  assert.deepEqual(flaggedSpans([0, 0], [0, 2]), []);
});

test("the frame under the pointer stays there when the timeline is zoomed", () => {
  const span = zoomedSpan([0, 1000], 0.25, 0.5, 1000);
  assert.deepEqual(span, [125, 625]);
  assert.equal(frameAt(0.25, span), frameAt(0.25, [0, 1000]));
  assert.deepEqual(zoomedSpan(span, 0.25, 2, 1000), [0, 1000]);
});

test("the timeline is not zoomed beyond some frames, nor out of the video", () => {
  assert.deepEqual(zoomedSpan([100, 120], 0.5, 0.5, 1000), [100, 120]);
  assert.deepEqual(zoomedSpan([0, 1000], 0.5, 2, 1000), [0, 1000]);
  assert.deepEqual(zoomedSpan([0, 8], 0.5, 0.5, 8), [0, 8]);
});

test("the timeline is moved as far as there are frames", () => {
  assert.deepEqual(movedSpan([100, 200], 50, 1000), [150, 250]);
  assert.deepEqual(movedSpan([100, 200], -500, 1000), [0, 100]);
  assert.deepEqual(movedSpan([100, 200], 5000, 1000), [900, 1000]);
});

test("the timeline follows a frame that leaves it", () => {
  assert.deepEqual(spanWith([100, 200], 150, 1000), [100, 200]);
  assert.deepEqual(spanWith([100, 200], 500, 1000), [450, 550]);
});
